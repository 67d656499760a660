"""The guardrail status of a run: which commands are guardrails, what they come to, and how the run's summary says so."""

from collections.abc import Iterable

from orchestrator_py.model.guardrails import GuardrailCounts, GuardrailStatus
from orchestrator_py.model.timestamp import Timestamp

_GUARDRAIL = "spec-guard"
_MISSING = "Guardrail command missing; run scripts/run-mcp-diagnostics.sh --no-watch to capture reviewer diagnostics."
_FAILED = "Guardrail command failed; re-run scripts/run-mcp-diagnostics.sh --no-watch to gather failure artifacts."
_LINE_START = "guardrails:"


def guardrail_status(
    commands: Iterable[tuple[str | None, str]], guardrails_required: bool | None, computed_at: Timestamp
) -> GuardrailStatus:
    """The status over (command text, status word) pairs; a command is a guardrail if its text holds `spec-guard`, case matters.

    Guardrails are required unless `guardrails_required` is False. Texts are the contract's.
    """
    counts = _count([status for command, status in commands if command is not None and _GUARDRAIL in command])
    return GuardrailStatus(
        present=counts.succeeded > 0,
        recommendation=_recommendation(counts, required=guardrails_required is not False),
        summary=f"Guardrails: {_GUARDRAIL} {_words(counts)}.",
        computed_at=computed_at,
        counts=counts,
    )


def with_guardrail_line(summary: str | None, status: GuardrailStatus) -> str:
    """The run's summary with the recommendation, if there is one, and the guardrail line at its end.

    What an earlier status left there goes: its line, and a recommendation that holds no more.
    """
    outdated = {_MISSING, _FAILED} - {status.recommendation}
    lines = [line for line in (summary or "").split("\n") if line not in outdated and not line.lower().startswith(_LINE_START)]
    kept = "\n".join(lines)
    parts = [kept] if kept else []
    if status.recommendation is not None and status.recommendation not in kept:
        parts.append(status.recommendation)
    return "\n".join([*parts, status.summary])


def _count(statuses: list[str]) -> GuardrailCounts:
    succeeded, failed, skipped = (statuses.count(word) for word in ("succeeded", "failed", "skipped"))
    other = len(statuses) - succeeded - failed - skipped
    return GuardrailCounts(total=len(statuses), succeeded=succeeded, failed=failed, skipped=skipped, other=other)


def _recommendation(counts: GuardrailCounts, *, required: bool) -> str | None:
    if counts.total == 0 and required:
        return _MISSING
    return _FAILED if counts.failed else None


def _words(counts: GuardrailCounts) -> str:
    total = counts.total
    if total == 0:
        return "command not found"
    if counts.failed:
        return f"failed ({counts.failed}/{total} failed)"
    if counts.succeeded == total:
        return f"succeeded ({total} passed)"
    if counts.skipped == total:
        return f"skipped (all {total} skipped)"
    named = ((counts.succeeded, "passed"), (counts.skipped, "skipped"), (counts.other, "pending"))
    return f"partial ({', '.join(f'{count} {word}' for count, word in named if count)} of {total})"
