"""Which stages `run` was asked for."""

from orchestrator_py.cli.console import say
from orchestrator_py.core.selection import Selection, needs_taken_as_met, stages_left_out
from orchestrator_py.errors import InputError
from orchestrator_py.model.pipeline import Configuration, Pipeline

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import Namespace


def select_stages(configuration: Configuration, pipeline: Pipeline, arguments: "Namespace") -> Selection:
    """What --only and --skip say; needs that are taken as met are told on stderr. InputError for a stage that is not there."""
    selection = Selection(only=tuple(arguments.only), skip=tuple(arguments.skip))
    try:
        left_out = stages_left_out(pipeline, selection)
    except InputError as error:
        pipelines = {one.id for one in configuration.pipelines}.intersection((*selection.only, *selection.skip))
        hint = f" ({', '.join(sorted(pipelines))}: a pipeline; name it in front of --only and --skip)" if pipelines else ""
        raise InputError(f"{error}{hint}") from None
    if arguments.quiet < 2:
        for stage, needs in needs_taken_as_met(pipeline, left_out):
            say(f"note: {stage} needs {', '.join(needs)}, which is not selected: taken as met")
    return selection
