"""Rules that let no waived failure and no flaky success pass: verdict, manifest, entry, event and summary say the same."""

import json

import pytest
from attrs import evolve

from orchestrator_py.core.outcome import satisfies_needs
from orchestrator_py.core.tally import marks, tally, why
from orchestrator_py.model.events import SubtaskFinished
from orchestrator_py.model.manifest import Manifest, RunStatus
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.policy import LENIENT, VerdictRules
from orchestrator_py.model.summary import RunSummary, SubtaskReport
from tests.core.conversations import closed, conversation, hear, open_pipeline_run, reports_of

STRICT, FLAKY_FAILS = VerdictRules(strict=True), VerdictRules(fail_on_flaky=True)


def doubtful() -> list[SubtaskReport]:
    """The first failed and is waived, the second succeeded at its second attempt, the third is good."""
    opening = open_pipeline_run(3)
    first, second, third = reports_of(opening, [Outcome.TIMED_OUT, Outcome.SUCCEEDED, Outcome.SUCCEEDED])
    failed = evolve(second.attempts[0], outcome=Outcome.FAILED)
    return [evolve(first, waived=True), evolve(second, attempts=(failed, evolve(second.attempts[0], number=2))), third]


def run(rules: VerdictRules) -> tuple[RunSummary, Manifest, dict[str, object], list[SubtaskReport]]:
    """What is on record, the metrics entry, and the reports that were told."""
    effects = hear(conversation(open_pipeline_run(3, rules=rules), doubtful()))
    told = [event.report for effect in effects for event in effect.events if isinstance(event, SubtaskFinished)]
    reply = closed(effects)
    assert reply.manifest is not None
    return reply.summary, reply.manifest, json.loads(effects[-1].entries[0].line), told


@pytest.mark.parametrize(
    ("rules", "outcome", "statuses", "counts", "deciding"),
    [
        (LENIENT, Outcome.SUCCEEDED, ["skipped", "succeeded", "succeeded"], (2, 0), "p:s2"),
        (STRICT, Outcome.TIMED_OUT, ["failed", "succeeded", "succeeded"], (2, 1), "p:s0"),
        (FLAKY_FAILS, Outcome.FAILED, ["skipped", "failed", "succeeded"], (1, 1), "p:s1"),
        (VerdictRules(strict=True, fail_on_flaky=True), Outcome.FAILED, ["failed", "failed", "succeeded"], (1, 2), "p:s1"),
    ],
    ids=["lenient", "strict", "fail on flaky", "both"],
)
def test_everything_that_speaks_of_the_run_agrees(
    rules: VerdictRules, outcome: Outcome, statuses: list[str], counts: tuple[int, int], deciding: str
) -> None:
    summary, manifest, entry, told = run(rules)
    assert summary.outcome is outcome
    assert manifest.status is (RunStatus.SUCCEEDED if outcome is Outcome.SUCCEEDED else RunStatus.FAILED)
    assert [command.status.value for command in manifest.commands] == statuses
    assert (entry["status"], entry["commands_passed"], entry["commands_failed"]) == (manifest.status.value, *counts)
    assert list(summary.subtasks) == told
    assert summary.build.subtask_id == deciding
    assert summary.build.success is (outcome is Outcome.SUCCEEDED)


def test_the_raw_words_and_the_marks_stay_whatever_counts() -> None:
    for rules in (LENIENT, STRICT, FLAKY_FAILS):
        *_, told = run(rules)
        assert [(one.outcome, one.waived, one.flaky) for one in told] == [
            (Outcome.TIMED_OUT, True, False),
            (Outcome.SUCCEEDED, False, True),
            (Outcome.SUCCEEDED, False, False),
        ]
        assert satisfies_needs(told[0])


def test_the_report_names_what_counts_as_something_else() -> None:
    *_, strict = run(STRICT)
    assert marks(strict) == ("waived: p:s0 (timed out), counts as timed out", "flaky: p:s1 (2 attempts)")
    *_, told = run(FLAKY_FAILS)
    assert marks(told) == ("waived: p:s0 (timed out)", "flaky: p:s1 (2 attempts), counts as failed")
    assert tally(told) == "succeeded 2, failed 1 of 3"
    assert why(told[1]) == "a success at attempt 2 counts as failed"


def test_the_manifest_says_why_a_success_counts_as_failed() -> None:
    _, manifest, *_ = run(FLAKY_FAILS)
    assert manifest.commands[1].summary == "Succeeded only at attempt 2: flaky, which counts as failed."
    assert manifest.status_detail == "stage:s1:failed"
