"""`plan`: what would run, and nothing started."""

from orchestrator_py.cli.console import print_json, print_lines
from orchestrator_py.cli.plan_text import plan_data, plan_lines
from orchestrator_py.cli.workspace import open_workspace, select_work
from orchestrator_py.core.plan import create_plan

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import Namespace


def plan(arguments: "Namespace") -> int:
    """The exit code: a configuration that cannot run has raised before."""
    workspace = open_workspace(arguments)
    pipeline, target = select_work(workspace, arguments)
    result = create_plan(pipeline, target=target)
    if arguments.format == "json":
        return print_json(plan_data(pipeline, result), 0)
    return print_lines(plan_lines(workspace.configuration, pipeline, result), 0)
