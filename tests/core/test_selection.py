"""Which stages are left out, and what becomes of those that need them."""

import pytest

from orchestrator_py.core.outcome import verdict
from orchestrator_py.core.schedule import Bounds, Schedule, order_of_work
from orchestrator_py.core.selection import Selection, needs_taken_as_met, stages_left_out
from orchestrator_py.errors import InputError
from orchestrator_py.model.manifest import CommandStatus
from orchestrator_py.model.outcome import FailurePolicy, Outcome, SkipReason
from orchestrator_py.model.pipeline import CommandStage, Pipeline
from orchestrator_py.model.policy import SubtaskPolicy
from tests.core.conversations import open_pipeline_run


def _stage(name: str, *needs: str) -> CommandStage:
    return CommandStage(id=name, title=name, command="true", policy=SubtaskPolicy(needs=needs))


PIPELINE = Pipeline(id="p", title="P", stages=(_stage("build"), _stage("lint"), _stage("test", "build", "lint"), _stage("docs")))


@pytest.mark.parametrize(
    ("selection", "left_out"),
    [
        (Selection(), ()),
        (Selection(only=("test",)), ("build", "lint", "docs")),
        (Selection(skip=("lint", "docs")), ("lint", "docs")),
        (Selection(only=("p:test", "build"), skip=("p:build",)), ("build", "lint", "docs")),
        (Selection(skip=("build", "lint", "test", "docs")), ("build", "lint", "test", "docs")),
    ],
)
def test_what_is_not_named_or_named_to_be_skipped_is_left_out(selection: Selection, left_out: tuple[str, ...]) -> None:
    assert stages_left_out(PIPELINE, selection) == left_out


def test_every_id_that_no_stage_has_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(InputError) as refused:
        stages_left_out(PIPELINE, Selection(only=("tset", "build"), skip=("p:biuld",)))
    assert str(refused.value) == (
        "pipeline 'p' has no stage 'tset'; did you mean 'test'?; pipeline 'p' has no stage 'p:biuld'; did you mean 'build'?"
    )


def test_needs_that_are_left_out_are_named_for_each_stage_that_runs() -> None:
    assert list(needs_taken_as_met(PIPELINE, ("lint", "docs"))) == [("test", ("lint",))]
    assert list(needs_taken_as_met(PIPELINE, ("lint", "test"))) == []


def test_what_is_left_out_is_accounted_for_at_the_start_and_holds_nobody_up() -> None:
    opening = open_pipeline_run(3, left_out=("s0", "s2"))
    assert [(one.subtask_id, one.outcome, one.skip_reason) for one in opening.settled] == [
        ("p:s0", Outcome.SKIPPED, SkipReason.NOT_SELECTED),
        ("p:s2", Outcome.SKIPPED, SkipReason.NOT_SELECTED),
    ]
    settled = frozenset(report.subtask_id for report in opening.settled)
    schedule = Schedule(order_of_work(opening), Bounds(limit=3), FailurePolicy.STOP, settled)
    taken = schedule.take()
    assert (taken is not None and taken.id, schedule.take()) == ("p:s1", None)
    assert opening.manifest is not None
    assert [(one.status, one.summary) for one in opening.manifest.commands] == [
        (CommandStatus.PENDING, "Not selected."),
        (CommandStatus.PENDING, None),
        (CommandStatus.PENDING, "Not selected."),
    ]


def test_a_run_of_nothing_is_no_success() -> None:
    assert verdict(report.counted for report in open_pipeline_run(2, left_out=("s0", "s1")).settled) is Outcome.SKIPPED
