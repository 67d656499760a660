"""The guardrail status of a run: which commands are guardrails, what they come to, and how the run's summary says so."""

import re
from collections.abc import Iterable, Sequence

from orchestrator_py.model.guardrails import GuardrailCounts, GuardrailStatus
from orchestrator_py.model.timestamp import Timestamp

_GUARDRAIL = "spec-guard"
_MISSING = "Guardrail command missing; run scripts/run-mcp-diagnostics.sh --no-watch to capture reviewer diagnostics."
_FAILED = "Guardrail command failed; re-run scripts/run-mcp-diagnostics.sh --no-watch to gather failure artifacts."
_LINE_START = "guardrails:"
_OURS = re.compile(r"\borchestrator[-_]py\s+(?:guard|review)\b")
_NAMED = 7


def guardrail_name(stage_id: str, command: str | None, *, marked: bool = False) -> str | None:
    """What a stage is called as a guardrail, None if it is none.

    By the contract it is one if its command holds `spec-guard`, case matters; then that is its name. It is one too if it has that id, if
    its command calls this program's `guard` or `review`, or if the pipeline says so (`marked`): then its id is its name. A sub-pipeline has
    no command, and is none.
    """
    if command is None:
        return None
    if _GUARDRAIL in command:
        return _GUARDRAIL
    return stage_id if marked or stage_id == _GUARDRAIL or _OURS.search(command) else None


def guardrail_status(
    guardrails: Iterable[tuple[str | None, str]], guardrails_required: bool | None, computed_at: Timestamp
) -> GuardrailStatus:
    """The status over pairs: what a stage is called as a guardrail (None is none), and its status word.

    Guardrails are required unless `guardrails_required` is False. Texts are the contract's, with the names of the guardrails in them.
    """
    found = [(name, status) for name, status in guardrails if name is not None]
    counts = _count([status for _, status in found])
    return GuardrailStatus(
        present=counts.succeeded > 0,
        recommendation=_recommendation(counts, required=guardrails_required is not False),
        summary=f"Guardrails: {_list(list(dict.fromkeys(name for name, _ in found)))} {_words(counts)}.",
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


def _list(names: Sequence[str]) -> str:
    """Without any, the one that the contract asks for."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}" if names else _GUARDRAIL


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
