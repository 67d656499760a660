"""Which stages of a pipeline a run leaves out since it was asked for others, or asked to skip them."""

from collections.abc import Iterable, Iterator, Sequence

from orchestrator_py.core.plan import item_id
from orchestrator_py.core.suggestion import suggest
from orchestrator_py.errors import InputError
from orchestrator_py.ids import SubtaskId
from orchestrator_py.lean import frozen
from orchestrator_py.model.outcome import Outcome, SkipReason
from orchestrator_py.model.pipeline import Pipeline
from orchestrator_py.model.summary import SubtaskReport


@frozen(kw_only=True)
class Selection:
    """`only` these stages, all of them if it is empty, without those to `skip`: ids of stages, or of their items (`<pipeline>:<stage>`)."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()


EVERYTHING = Selection()


def stages_left_out(pipeline: Pipeline, selection: Selection) -> tuple[str, ...]:
    """The ids of the stages that are not selected, in the order of the file. InputError names the ids that no stage has."""
    _refuse_unknown(pipeline, (*selection.only, *selection.skip))
    return tuple(
        stage.id
        for stage in pipeline.stages
        if (selection.only and not _is_named(pipeline, stage.id, selection.only)) or _is_named(pipeline, stage.id, selection.skip)
    )


def needs_taken_as_met(pipeline: Pipeline, left_out: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each stage that is selected though something that it needs is not, and what."""
    for stage in pipeline.stages:
        if stage.id not in left_out and (missing := tuple(need for need in stage.policy.needs if need in left_out)):
            yield stage.id, missing


def not_selected(subtask_id: SubtaskId) -> SubtaskReport:
    """The report of a subtask that was left out."""
    return SubtaskReport(subtask_id=subtask_id, outcome=Outcome.SKIPPED, skip_reason=SkipReason.NOT_SELECTED)


def _is_named(pipeline: Pipeline, stage_id: str, names: Iterable[str]) -> bool:
    return stage_id in names or item_id(pipeline, stage_id) in names


def _refuse_unknown(pipeline: Pipeline, names: Iterable[str]) -> None:
    known = [stage.id for stage in pipeline.stages]
    answers = {*known, *(item_id(pipeline, stage_id) for stage_id in known)}
    problems = [
        f"pipeline {pipeline.id!r} has no stage {name!r}{suggest(name.removeprefix(f'{pipeline.id}:'), known)}"
        for name in dict.fromkeys(names)
        if name not in answers
    ]
    if problems:
        raise InputError("; ".join(problems))
