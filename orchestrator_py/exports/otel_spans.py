"""Runs as spans, by OpenTelemetry's conventions for CI/CD: a run, below it its subtasks, below one that was retried its attempts.

Times are those of the record, whenever the news of them comes.
"""

from collections.abc import Callable, Mapping

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from orchestrator_py.core.outcome import stages_that_answered
from orchestrator_py.exports.cicd_words import RESULTS, error_type, nanoseconds, utf8
from orchestrator_py.ids import RunId
from orchestrator_py.lean import define, field
from orchestrator_py.model.events import Event, RunCompleted, RunStarted, RunStopping, SubtaskFinished, SubtaskStarted
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.summary import AttemptReport, SubtaskReport

Attributes = Mapping[str, str | bool | int | float]
NameNext = Callable[[str, str, int], object]
"""Told what the next span is about: run, stage, number of the attempt."""

ACTION = "RUN"


@define(eq=False)
class _OpenRun:
    span: Span
    children: dict[RunId, Span] = field(factory=dict)
    workers: dict[str, str] = field(factory=dict)


@define(eq=False)
class RunSpans:
    """Makes the spans of the runs that it is told of. `parent` holds the span that the runs belong below, if there is one."""

    tracer: Tracer
    parent: Context
    name_next: NameNext
    _runs: dict[RunId, _OpenRun] = field(factory=dict, init=False)

    def tell(self, event: Event) -> None:
        """News that no span is made of is passed over, and so is a run whose start was not seen."""
        if isinstance(event, RunStarted):
            self._start(event)
        elif (run := self._runs.get(event.run_id)) is not None:
            self._go_on(run, event)

    def close(self) -> None:
        """Runs of which no end was told: their report cannot be vouched for."""
        while self._runs:
            _, run = self._runs.popitem()
            _end(run.span, "cicd.pipeline.result", Outcome.ERROR, None)

    # A run -------------------------------------------------------------------------------------------------------

    def _start(self, event: RunStarted) -> None:
        parent = self._parent_of(event)
        self.name_next(event.run_id, "", 0)
        span = self.tracer.start_span(
            f"{ACTION} {utf8(event.pipeline_id)}",
            context=self.parent if parent is None else set_span_in_context(parent.span),
            kind=SpanKind.SERVER,
            attributes=_run_attributes(event),
            links=[] if parent is None else [Link(parent.span.get_span_context())],
            start_time=nanoseconds(event.timestamp),
        )
        self._runs[event.run_id] = _OpenRun(span)
        if parent is not None:
            parent.children[event.run_id] = span

    def _parent_of(self, event: RunStarted) -> _OpenRun | None:
        parent_id = None if event.manifest is None else event.manifest.parent_run_id
        return None if parent_id is None else self._runs.get(parent_id)

    def _go_on(self, run: _OpenRun, event: Event) -> None:
        match event:
            case SubtaskStarted():
                run.workers[event.subtask_id] = event.instance_id
            case SubtaskFinished():
                self._finish(run, event)
            case RunStopping():
                run.span.add_event("stopping", {"orchestrator_py.cause": event.cause.kind.value}, nanoseconds(event.timestamp))
            case RunCompleted():
                ended_at = None if event.manifest is None else event.manifest.completed_at
                _end(run.span, "cicd.pipeline.result", event.outcome, nanoseconds(ended_at or event.timestamp))
                del self._runs[event.run_id]
            case _:
                pass

    # A subtask ---------------------------------------------------------------------------------------------------

    def _finish(self, run: _OpenRun, event: SubtaskFinished) -> None:
        """One that never started, or was kept from an earlier call, is a moment."""
        report, reported_at = event.report, nanoseconds(event.timestamp)
        ran = report.started and report.skip_reason is None
        stage = event.report.subtask_id if event.command is None else event.command.id
        children = [] if event.command is None else [run.children.get(event.command.sub_run_id or RunId(""))]
        self.name_next(event.run_id, stage, 0)
        span = self.tracer.start_span(
            utf8(stage),
            context=set_span_in_context(run.span),
            attributes=_task_attributes(event, stage, run.workers.get(report.subtask_id)),
            links=[Link(child.get_span_context()) for child in children if child is not None],
            start_time=nanoseconds(report.started_at) if ran else reported_at,
        )
        for attempt in report.attempts if ran and len(report.attempts) > 1 else ():
            self.name_next(event.run_id, stage, attempt.number)
            self._add_attempt(span, stage, attempt)
        _end(span, "cicd.pipeline.task.run.result", report.outcome, nanoseconds(report.completed_at) if ran else reported_at)

    def _add_attempt(self, subtask: Span, stage: str, attempt: AttemptReport) -> None:
        span = self.tracer.start_span(
            f"{utf8(stage)} attempt {attempt.number}",
            context=set_span_in_context(subtask),
            attributes={"orchestrator_py.attempt": attempt.number, "orchestrator_py.outcome": attempt.outcome.value},
            start_time=nanoseconds(attempt.started_at),
        )
        _set_error(span, attempt.outcome)
        span.end(nanoseconds(attempt.completed_at))


def _end(span: Span, key: str, outcome: Outcome, at: int | None) -> None:
    span.set_attribute(key, RESULTS[outcome])
    span.set_attribute("orchestrator_py.outcome", outcome.value)
    _set_error(span, outcome)
    span.end(at)


def _set_error(span: Span, outcome: Outcome) -> None:
    kind = error_type(outcome)
    if kind is not None:
        span.set_attribute("error.type", kind)
        span.set_status(Status(StatusCode.ERROR, kind))


def _run_attributes(event: RunStarted) -> Attributes:
    return {
        "cicd.pipeline.name": utf8(event.pipeline_id),
        "cicd.pipeline.run.id": utf8(event.run_id),
        "cicd.pipeline.action.name": ACTION,
        "orchestrator_py.task.id": utf8(event.task_id),
        "orchestrator_py.planned": event.planned,
    }


def _task_attributes(event: SubtaskFinished, stage: str, worker: str | None) -> Attributes:
    report = event.report
    attributes: dict[str, str | bool | int | float] = {
        "cicd.pipeline.task.name": utf8(stage),
        "cicd.pipeline.task.run.id": utf8(f"{event.run_id}/{report.subtask_id}"),
        "orchestrator_py.attempts": len(report.attempts),
        "orchestrator_py.flaky": report.flaky,
        "orchestrator_py.waived": report.waived,
        **_answers(report),
    }
    if worker is not None:
        attributes["cicd.worker.id"] = utf8(worker)
    if report.skip_reason is not None:
        attributes["orchestrator_py.skip_reason"] = report.skip_reason.value
    if event.command is not None and event.command.exit_code is not None:
        attributes["process.exit.code"] = event.command.exit_code
    return attributes


def _answers(report: SubtaskReport) -> Attributes:
    """What build, test and review said, as far as they were asked. The record has no times of them by themselves."""
    said = (
        None if report.build is None else report.build.success,
        None if report.test is None else report.test.success,
        None if report.review is None else report.review.decision.approved,
    )
    answered = list(zip(("build", "test", "review"), said, strict=True))[: stages_that_answered(report)]
    return {f"orchestrator_py.{name}.success": answer for name, answer in answered if answer is not None}
