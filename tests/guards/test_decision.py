"""What a reviewer's end and words come to: approved is earned, a crash is no "no", and nothing else is either."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.guards.decision import Decision, judge
from orchestrator_py.model.execution import Execution, Loss, LossKind, Output
from orchestrator_py.stages.capture import Capture


def ended(code: int | None, stdout: str = "", stderr: str = "", **more: object) -> Execution:
    capture = Capture()
    capture.feed(stdout.encode(), final=True)
    facts: dict[str, object] = {"exit_code": code, "stdout": capture.output(), "stderr": Output(text=stderr), **more}
    return Execution(**facts)  # type: ignore[arg-type]  # any facts


def decided(execution: Execution) -> tuple[Decision, str | None]:
    judgement = judge(execution, stopped_because=None)
    return judgement.decision, judgement.feedback


@pytest.mark.parametrize(
    ("execution", "decision", "feedback"),
    [
        (ended(0), Decision.APPROVED, None),
        (ended(0, "fine\n"), Decision.APPROVED, "fine"),
        (ended(0, '{"approved": true, "feedback": "x"}'), Decision.APPROVED, '{"approved": true, "feedback": "x"}'),
        (ended(0, "well,\n" + '{"approved": false, "feedback": "again"}\n\n'), Decision.REJECTED, "again"),
        (ended(0, '{\n "approved": false,\n "feedback": " "\n}\n'), Decision.REJECTED, '{\n "approved": false,\n "feedback": " "\n}'),
        (ended(0, '{"approved": false}\nthat was an example'), Decision.APPROVED, '{"approved": false}\nthat was an example'),
        (ended(0, '{"score": 1}'), Decision.APPROVED, '{"score": 1}'),
        (ended(0, '[{"approved": false}]'), Decision.APPROVED, '[{"approved": false}]'),
        (ended(1, "no"), Decision.REJECTED, "no"),
        (ended(125, "", "why"), Decision.REJECTED, "why"),
        (ended(1, '{"approved": true}'), Decision.REJECTED, '{"approved": true}'),
        (ended(0, '{"approved": "yes"}'), Decision.CRASHED, '{"approved": "yes"}'),
        (ended(0, '{"approved": null}'), Decision.CRASHED, '{"approved": null}'),
        (ended(126, "", "no permission"), Decision.CRASHED, "no permission"),
        (ended(127, "", "not found"), Decision.CRASHED, "not found"),
        (ended(137), Decision.CRASHED, None),
        (ended(None, signal="SIGSEGV"), Decision.CRASHED, None),
        (ended(None), Decision.CRASHED, None),
        (ended(None, spawn_error="no such folder"), Decision.CRASHED, None),
        (ended(0, stopped=True), Decision.CRASHED, None),
        (ended(None, loss=Loss(LossKind.WORKER, "w")), Decision.CRASHED, None),
    ],
    ids=str,
)
def test_what_a_reviewer_s_end_and_words_come_to(execution: Execution, decision: Decision, feedback: str | None) -> None:
    assert decided(execution) == (decision, feedback)


def test_a_long_review_is_decided_by_its_last_line() -> None:
    talk = "words and words\n" * 10_000
    assert decided(ended(0, f'{talk}{{"approved": false, "feedback": "too long"}}\n')) == (Decision.REJECTED, "too long")
    assert decided(ended(0, talk))[0] is Decision.APPROVED


def test_a_last_line_that_is_too_long_to_be_read_is_no_approval() -> None:
    said = json.dumps({"feedback": "x" * 100_000, "approved": False})
    assert decided(ended(0, f"words\n{said}\n"))[0] is Decision.CRASHED


def test_why_it_was_ended_is_told() -> None:
    judgement = judge(ended(None, stopped=True, duration=timedelta(seconds=1)), stopped_because="it took longer than 1 s")
    assert judgement.detail == "the reviewer was ended: it took longer than 1 s"


_endings = st.builds(
    ended,
    st.none() | st.integers(0, 255),
    st.text() | st.sampled_from(['{"approved": true}', '{"approved": false}', '{"approved": 1}', "x\n" * 50_000]),
    stopped=st.booleans(),
    signal=st.sampled_from([None, "SIGKILL"]),
    spawn_error=st.sampled_from([None, "gone"]),
)


@given(_endings)
def test_approved_is_only_a_reviewer_that_ended_by_itself_with_0(execution: Execution) -> None:
    decision, _ = decided(execution)
    if decision is Decision.APPROVED:
        assert (execution.exit_code, execution.stopped, execution.signal, execution.spawn_error) == (0, False, None, None)
    assert decision in (Decision.APPROVED, Decision.REJECTED, Decision.CRASHED)
