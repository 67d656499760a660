"""What a review has come to: decided from how the reviewer ended and from what it said. Nothing is approved by default."""

import json
from enum import Enum

from orchestrator_py.core.command_summary import trim
from orchestrator_py.core.outcome import NOT_STARTED_CODES, SIGNAL_CODES
from orchestrator_py.lean import frozen
from orchestrator_py.model.execution import Execution, Output


class Decision(Enum):
    """The word for a review. The last two have no reviewer's word behind them."""

    APPROVED = "approved"
    REJECTED = "rejected"
    CRASHED = "crashed"
    CANCELLED = "cancelled"
    NOT_REVIEWED = "not_reviewed"


@frozen(kw_only=True)
class Judgement:
    """`detail` says in words why it is so; `feedback` is what the reviewer said, None if that is nothing."""

    decision: Decision
    detail: str
    feedback: str | None = None


def judge(execution: Execution, *, stopped_because: str | None) -> Judgement:
    """The reviewer's own word, if it has ended by itself: approved needs exit code 0, and no decision on stdout that says otherwise."""
    feedback = _printed(execution)
    crash = _crash(execution, stopped_because)
    if crash is not None:
        return Judgement(decision=Decision.CRASHED, detail=crash, feedback=feedback)
    try:
        said = _said(execution.stdout)
    except ValueError as error:
        return Judgement(decision=Decision.CRASHED, detail=f"the decision that it printed cannot be used: {error}", feedback=feedback)
    if execution.exit_code:
        return Judgement(decision=Decision.REJECTED, detail=f"the reviewer ended with exit code {execution.exit_code}", feedback=feedback)
    if said is None or said["approved"] is True:
        return Judgement(decision=Decision.APPROVED, detail="the reviewer ended with exit code 0", feedback=feedback)
    words = said.get("feedback")
    detail = "the reviewer's decision says that it is not approved"
    return Judgement(decision=Decision.REJECTED, detail=detail, feedback=words if isinstance(words, str) and words.strip() else feedback)


def _crash(execution: Execution, stopped_because: str | None) -> str | None:
    """Why there is no word of the reviewer, in words; None if there is one."""
    code = execution.exit_code
    if execution.spawn_error is not None:
        return f"the reviewer could not be started: {execution.spawn_error}"
    if execution.stopped:
        return f"the reviewer was ended: {stopped_because or 'a stop was asked for'}"
    if execution.signal is not None:
        return f"the reviewer was ended by {execution.signal}"
    if code is None:
        return "how the reviewer ended is not known"
    if code in NOT_STARTED_CODES:
        return f"the reviewer could not be started: the shell ended with exit code {code}"
    if code in SIGNAL_CODES:
        return f"the reviewer ended with exit code {code}: signal {code - 128} has ended what it ran"
    return None


def _printed(execution: Execution) -> str | None:
    return trim(execution.stdout.text) or trim(execution.stderr.text) or None


def _said(stdout: Output) -> dict[str, object] | None:
    """The object with the key `approved` that is the whole of stdout, or its last line. ValueError if it is there and cannot be used."""
    last = stdout.tail.rstrip() if stdout.truncated else stdout.text.rstrip()
    if stdout.truncated and "\n" not in last:
        raise ValueError("its last line is too long to be read")
    for text in (stdout.text, last.rpartition("\n")[2]):
        said = _parse(text)
        if said is not None and "approved" in said:
            if not isinstance(said["approved"], bool):
                raise ValueError(f"'approved' is {said['approved']!r:.80} where true or false belongs")
            return said
    return None


def _parse(text: str) -> dict[str, object] | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
