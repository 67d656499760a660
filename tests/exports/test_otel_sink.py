"""The sink of an embedded manager: the embedding program's own providers are told what happened."""

from importlib import import_module

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, Metric
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context

from orchestrator_py.errors import InputError
from orchestrator_py.exports import otel
from orchestrator_py.exports.cicd_words import RESULTS, error_type
from orchestrator_py.exports.history_counts import BUCKETS
from orchestrator_py.exports.otel import OpenTelemetrySink
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.model.events import Event, RunStarted
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.result import BuildInput
from orchestrator_py.model.timestamp import Timestamp
from tests.app.agents import TASK, Crew, built, items

NOW = Timestamp("2025-12-21T14:02:47.637Z")


class Providers:
    """That keep what they are told."""

    def __init__(self) -> None:
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers, self.meters = TracerProvider(shutdown_on_exit=False), MeterProvider([self.reader], shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))

    def sink(self, parent: Context | None = None) -> OpenTelemetrySink:
        return OpenTelemetrySink(tracer_provider=self.tracers, meter_provider=self.meters, parent=parent)

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self.exporter.get_finished_spans()}

    @property
    def figures(self) -> dict[str, Metric]:
        data = self.reader.get_metrics_data()
        assert data is not None
        return {metric.name: metric for part in data.resource_metrics for scope in part.scope_metrics for metric in scope.metrics}


async def _fail_b(input: BuildInput) -> object:
    return built(input, success=input.target.id != "b")


async def test_a_managers_runs_become_spans_and_figures_of_the_programs_own_providers() -> None:
    providers = Providers()
    with anyio.fail_after(20):
        async with Crew(items("a", "b"), on_build=_fail_b).manager(on_failure="continue") as manager:
            manager.subscribe(providers.sink())
            summary = await manager.execute(TASK)
    spans = providers.spans
    root = spans["RUN embedded"]
    assert (root.kind, root.parent, root.status.status_code) == (SpanKind.SERVER, None, StatusCode.ERROR)
    assert root.attributes is not None
    assert (root.attributes["cicd.pipeline.run.id"], root.attributes["cicd.pipeline.result"]) == (summary.run_id, "failure")
    for name, build, words in (("a", True, {"build", "test", "review"}), ("b", False, {"build"})):
        span = spans[name]
        assert span.parent == root.context
        assert span.attributes is not None
        assert span.attributes["cicd.pipeline.task.run.id"] == f"{summary.run_id}/{name}"
        assert {word for word in ("build", "test", "review") if f"orchestrator_py.{word}.success" in span.attributes} == words
        assert span.attributes["orchestrator_py.build.success"] is build
        assert root.start_time is not None
        assert span.start_time is not None
        assert root.start_time <= span.start_time
    (point,) = providers.figures["cicd.pipeline.run.duration"].data.data_points
    assert isinstance(point, HistogramDataPoint)
    assert (point.count, tuple(point.explicit_bounds)) == (1, BUCKETS)


async def test_runs_lie_below_the_span_that_is_given() -> None:
    providers = Providers()
    with providers.tracers.get_tracer("program").start_as_current_span("request") as request, anyio.fail_after(20):
        async with Crew(items("a")).manager() as manager:
            manager.subscribe(providers.sink(set_span_in_context(request)))
            await manager.execute(TASK)
    assert providers.spans["RUN embedded"].parent == request.get_span_context()


def started(run_id: str) -> Event:
    return RunStarted(seq=1, timestamp=NOW, task_id=TaskId("t"), run_id=RunId(run_id), pipeline_id="p\udcff", planned=0)


def test_a_run_without_an_end_is_an_error_when_the_sink_is_closed() -> None:
    providers = Providers()
    sink = providers.sink()
    sink.publish(started("r"))
    sink.close()
    sink.close()
    (span,) = providers.spans.values()
    assert span.name == "RUN p\\udcff"
    assert span.attributes is not None
    assert span.attributes["cicd.pipeline.result"] == "error"
    (active,) = providers.figures["cicd.pipeline.run.active"].data.data_points
    (errors,) = providers.figures["cicd.system.errors"].data.data_points
    assert (getattr(active, "value", None), getattr(errors, "value", None)) == (0, 1)
    assert "cicd.pipeline.run.duration" not in providers.figures


def test_news_of_a_run_whose_start_was_not_seen_is_passed_over() -> None:
    providers = Providers()
    event = started("r")
    providers.sink().publish(Event(seq=2, timestamp=NOW, task_id=event.task_id, run_id=event.run_id))
    assert providers.spans == {}


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_a_word_of_the_conventions(outcome: Outcome) -> None:
    words = import_module("opentelemetry.semconv._incubating.attributes.cicd_attributes")
    assert RESULTS[outcome] in {value.value for value in words.CicdPipelineResultValues}
    assert RESULTS[outcome] in {value.value for value in words.CicdPipelineTaskRunResultValues}
    needs_type = RESULTS[outcome] in ("failure", "error", "timeout")
    assert (error_type(outcome) is not None) is needs_type


async def test_every_name_is_one_of_the_conventions_or_has_our_prefix() -> None:
    providers = Providers()
    with anyio.fail_after(20):
        async with Crew(items("a", "b"), on_build=_fail_b).manager() as manager:
            manager.subscribe(providers.sink())
            await manager.execute(TASK)
    modules = ("attributes.cicd_attributes", "attributes.process_attributes", "attributes.error_attributes", "metrics.cicd_metrics")
    known = {
        value
        for name in modules
        for value in vars(import_module(f"opentelemetry.semconv._incubating.{name}")).values()
        if isinstance(value, str)
    }
    told = {key for span in providers.spans.values() for key in span.attributes or {}}
    told |= {key for metric in providers.figures.values() for point in metric.data.data_points for key in point.attributes or {}}
    assert {name for name in told if not name.startswith("orchestrator_py.")} <= known
    assert set(providers.figures) <= known


def test_without_the_library_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otel, "is_installed", lambda _: False)
    with pytest.raises(InputError, match=r"pip install 'orchestrator-py\[otel\]'"):
        OpenTelemetrySink()


def test_without_providers_the_global_ones_are_told() -> None:
    sink = OpenTelemetrySink()
    sink.publish(started("r"))
    sink.close()
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
