"""Runs as figures, by OpenTelemetry's conventions for CI/CD. No run's id is in them."""

from opentelemetry.metrics import Counter, Histogram, Meter, UpDownCounter

from orchestrator_py.exports.cicd_words import RESULTS, error_type, nanoseconds, utf8
from orchestrator_py.exports.history_counts import BUCKETS
from orchestrator_py.ids import RunId
from orchestrator_py.lean import define, field
from orchestrator_py.model.events import Event, RunCompleted, RunStarted, SubtaskFinished
from orchestrator_py.model.outcome import Outcome

_STATE = "cicd.pipeline.run.state"
_EXECUTING = "executing"


@define(eq=False)
class RunFigures:
    """Counts the runs that it is told of."""

    meter: Meter
    _active: UpDownCounter = field(init=False)
    _duration: Histogram = field(init=False)
    _errors: Counter = field(init=False)
    _system_errors: Counter = field(init=False)
    _runs: dict[RunId, RunStarted] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        meter = self.meter
        self._active = meter.create_up_down_counter("cicd.pipeline.run.active", "{run}", "Runs that are going on.")
        self._duration = meter.create_histogram(
            "cicd.pipeline.run.duration", "s", "How long runs took.", explicit_bucket_boundaries_advisory=BUCKETS
        )
        self._errors = meter.create_counter("cicd.pipeline.run.errors", "{error}", "Subtasks of runs that did not succeed.")
        self._system_errors = meter.create_counter("cicd.system.errors", "{error}", "Runs whose report cannot be vouched for.")

    def tell(self, event: Event) -> None:
        """News that does not count is passed over, and so is a run whose start was not seen."""
        if isinstance(event, RunStarted):
            self._runs[event.run_id] = event
            self._active.add(1, _of(event, **{_STATE: _EXECUTING}))
        elif (run := self._runs.get(event.run_id)) is not None:
            self._go_on(run, event)

    def close(self) -> None:
        """Runs of which no end was told are not going on any more; how long they took is not known."""
        while self._runs:
            self._end(self._runs.popitem()[1], Outcome.ERROR)

    def _go_on(self, run: RunStarted, event: Event) -> None:
        match event:
            case SubtaskFinished():
                kind = error_type(event.report.outcome)
                if kind is not None:
                    self._errors.add(1, _of(run, **{"error.type": kind}))
            case RunCompleted():
                del self._runs[event.run_id]
                self._record(run, event)
                self._end(run, event.outcome)
            case _:
                pass

    def _record(self, run: RunStarted, event: RunCompleted) -> None:
        started, ended = nanoseconds(run.timestamp), nanoseconds(event.timestamp)
        if started is None or ended is None:
            return
        about = {_STATE: _EXECUTING, "cicd.pipeline.result": RESULTS[event.outcome]}
        kind = error_type(event.outcome)
        self._duration.record(max(0, ended - started) / 1e9, _of(run, **about, **({"error.type": kind} if kind else {})))

    def _end(self, run: RunStarted, outcome: Outcome) -> None:
        self._active.add(-1, _of(run, **{_STATE: _EXECUTING}))
        if outcome is Outcome.ERROR:
            self._system_errors.add(1, {"cicd.system.component": "report", "error.type": outcome.value})


def _of(run: RunStarted, **more: str) -> dict[str, str]:
    return {"cicd.pipeline.name": utf8(run.pipeline_id), **more}
