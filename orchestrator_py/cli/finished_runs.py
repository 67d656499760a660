"""The runs of one call that have ended, child runs among them."""

from collections.abc import Iterator

from orchestrator_py.core.stage_reports import stage_reports
from orchestrator_py.ids import RunId
from orchestrator_py.lean import define, field, frozen
from orchestrator_py.model.events import Event, RunCompleted
from orchestrator_py.model.manifest import CommandRecord, Manifest
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.summary import RunSummary, SubtaskReport


@frozen
class FinishedRun:
    """What is on record of it."""

    manifest: Manifest
    summary: RunSummary

    @property
    def outcome(self) -> Outcome:
        """The verdict."""
        return self.summary.outcome or Outcome.ERROR

    @property
    def stages(self) -> tuple[tuple[CommandRecord, SubtaskReport], ...]:
        """Each with its report, in the order of the file."""
        return stage_reports(self.manifest, self.summary)


@define(eq=False)
class FinishedRuns:
    """A subscriber of events."""

    _runs: dict[RunId, FinishedRun] = field(factory=dict, init=False)

    def __call__(self, event: Event) -> None:
        """Keep what has ended."""
        if isinstance(event, RunCompleted) and event.manifest is not None:
            self._runs[event.run_id] = FinishedRun(event.manifest, event.summary)

    def family(self, run: FinishedRun) -> Iterator[FinishedRun]:
        """The run, then those of its sub-pipelines in the order of the file, each followed by its own; not those of an earlier call."""
        yield run
        for command in run.manifest.commands:
            child = None if command.sub_run_id is None else self._runs.get(command.sub_run_id)
            if child is not None:
                yield from self.family(child)
