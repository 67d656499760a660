"""Which finished runs of a task may go."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from orchestrator_py.errors import DecodeError
from orchestrator_py.ids import RunId
from orchestrator_py.lean import frozen
from orchestrator_py.model.timestamp import parse_timestamp

_TERMINAL = ("succeeded", "failed", "cancelled")


@frozen(kw_only=True)
class FinishedRun:
    """A run that has ended; `status` is None for an embedded one, whose folder does not say how it went."""

    run_id: RunId
    status: str | None
    ended_at: datetime


@frozen(kw_only=True)
class PruningRule:
    """Keep the newest `keep` finished runs, or those that ended within `older_than`; exactly one of them is given."""

    keep: int | None = None
    older_than: timedelta | None = None

    def select(self, runs: Iterable[FinishedRun], now: datetime) -> Sequence[FinishedRun]:
        """The runs that go, oldest first."""
        ordered = sorted(runs, key=lambda run: (run.ended_at, run.run_id))
        if self.keep is not None:
            return ordered[: max(0, len(ordered) - self.keep)]
        return [run for run in ordered if self.older_than is not None and now - run.ended_at > self.older_than]


def is_terminal(manifest: Mapping[str, object]) -> bool:
    """Whether the run has ended, by its manifest."""
    return manifest.get("status") in _TERMINAL


def finished_run(run_id: RunId, manifest: Mapping[str, object]) -> FinishedRun:
    """The run of a command-line manifest; DecodeError with the reason why it must be kept."""
    if manifest.get("run_id") != run_id or manifest.get("version") != 1:
        raise DecodeError("its manifest is not that of this run, or of a newer format")
    if not is_terminal(manifest):
        raise DecodeError("it has not ended")
    return FinishedRun(run_id=run_id, status=str(manifest["status"]), ended_at=_moment(manifest, "completed_at", "updated_at"))


def finished_embedded_run(run_id: RunId, summary: Mapping[str, object]) -> FinishedRun:
    """The run of an embedded summary, which is written only at the end; DecodeError with the reason why it must be kept."""
    if summary.get("runId") != run_id:
        raise DecodeError("its manifest.json is not the summary of this run")
    return FinishedRun(run_id=run_id, status=None, ended_at=_moment(summary, "timestamp"))


def _moment(document: Mapping[str, object], *keys: str) -> datetime:
    for key in keys:
        moment = parse_timestamp(document.get(key))
        if moment is not None:
            return moment
    raise DecodeError("it does not say when it ended")
