"""A review as data, as lines, as annotations."""

from collections.abc import Iterator

from orchestrator_py.cli.status_text import spoken
from orchestrator_py.cli.workflow_commands import workflow_command
from orchestrator_py.guards.decision import Decision, Judgement
from orchestrator_py.lean import frozen
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.reading.run import Run

LONGEST_FEEDBACK = 64 * 1024


@frozen(kw_only=True)
class Reviewed:
    """A review, and all that its record says. `review` is None if nothing was written.

    `head` is the last commit of the change, `start` what it was held against.
    """

    judgement: Judgement
    run: Run
    manifest: str
    review: str | None
    scope: str
    start: str | None
    head: str | None
    command: str | None
    started_at: Timestamp
    completed_at: Timestamp | None = None
    execution: Execution | None = None


def review_data(reviewed: Reviewed) -> dict[str, object]:
    """The document review.json; paths are relative to the repository."""
    judgement, execution = reviewed.judgement, reviewed.execution or Execution()
    feedback = judgement.feedback
    return {
        "version": 1,
        "decision": judgement.decision.value,
        "detail": judgement.detail,
        "feedback": None if feedback is None else feedback[:LONGEST_FEEDBACK],
        "task": reviewed.run.task,
        "run_id": reviewed.run.run_id,
        "manifest": reviewed.manifest,
        "review": reviewed.review,
        "scope": reviewed.scope,
        "start": reviewed.start,
        "head": reviewed.head,
        "command": reviewed.command,
        "exit_code": execution.exit_code,
        "signal": execution.signal,
        "started_at": reviewed.started_at,
        "completed_at": reviewed.completed_at,
    }


def review_lines(reviewed: Reviewed) -> Iterator[str]:
    """The decision, what the reviewer said, where the evidence is."""
    yield f"review: {spoken(reviewed.judgement.decision.value)}; {reviewed.judgement.detail}"
    yield from (f"  {line}" for line in (reviewed.judgement.feedback or "").splitlines())
    if reviewed.review:
        yield f"evidence: {reviewed.review}"


def review_commands(reviewed: Reviewed) -> list[str]:
    """Annotations of a workflow for everything that is no approval."""
    judgement = reviewed.judgement
    if judgement.decision is Decision.APPROVED:
        return []
    kind = "warning" if judgement.decision is Decision.NOT_REVIEWED else "error"
    title = f"review: {spoken(judgement.decision.value)}"
    return [workflow_command(kind, judgement.feedback or judgement.detail, title=title)]
