"""The providers of a command-line run: they send to the collector that the environment names, OTLP over HTTP."""

import os
from collections.abc import Callable
from threading import Thread

from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, set_span_in_context

from orchestrator_py import __version__
from orchestrator_py.exports.otel import OpenTelemetrySink
from orchestrator_py.exports.trace_ids import TraceIds
from orchestrator_py.lean import define, field

LONGEST_QUEUE = 32_768
"""Spans that wait for a slow collector; OTEL_BSP_MAX_QUEUE_SIZE wins."""


class _NamedIds(RandomIdGenerator):
    """The ids that were foretold."""

    def __init__(self, ids: TraceIds) -> None:
        self._ids = ids
        self._about: tuple[str, str, int] | None = None

    def name_next(self, *about: object) -> None:
        match about:
            case (str(run_id), str(stage), int(attempt)):
                self._about = run_id, stage, attempt

    def generate_trace_id(self) -> int:
        return self._ids.trace_id

    def generate_span_id(self) -> int:
        about, self._about = self._about, None
        return super().generate_span_id() if about is None else self._ids.span_id(*about)

    def is_trace_id_random(self) -> bool:
        return self._ids.parent is None


@define(eq=False)
class Sending:
    """What was opened for one call: `sink` takes the news."""

    sink: OpenTelemetrySink
    providers: dict[str, TracerProvider | MeterProvider] = field(factory=dict)

    @classmethod
    def open(cls, ids: TraceIds, signals: frozenset[str]) -> "Sending":
        """For `spans`, `metrics` or both. Raises what the library raises for an environment that it cannot use."""
        named, resource = _NamedIds(ids), _resource()
        tracers = _tracer_provider(named, resource) if "spans" in signals else None
        meters = _meter_provider(resource) if "metrics" in signals else None
        sink = OpenTelemetrySink(
            tracer_provider=tracers,
            meter_provider=meters,
            parent=_parent(ids),
            name_next=named.name_next,
            traces=tracers is not None,
            metrics=meters is not None,
        )
        providers = {"spans": tracers, "metrics": meters}
        return cls(sink, {signal: provider for signal, provider in providers.items() if provider is not None})

    def close(self, closed: Callable[[str], object]) -> None:
        """Send what waits, both kinds at the same time; `closed` is told each that is through. Does not wait."""
        self.sink.close()
        for signal, provider in self.providers.items():
            Thread(target=_shut_down, args=(provider, signal, closed), name=f"last {signal}", daemon=True).start()


def _shut_down(provider: TracerProvider | MeterProvider, signal: str, closed: Callable[[str], object]) -> None:
    try:
        provider.shutdown()
    finally:
        closed(signal)


def _tracer_provider(ids: _NamedIds, resource: Resource) -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=resource, id_generator=ids, shutdown_on_exit=False)
    longest = None if os.environ.get("OTEL_BSP_MAX_QUEUE_SIZE") else LONGEST_QUEUE
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), max_queue_size=longest))
    return provider


def _meter_provider(resource: Resource) -> MeterProvider:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    return MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource, shutdown_on_exit=False)


def _resource() -> Resource:
    """As the environment has it; it has our name if the environment gives none."""
    named = os.environ.get("OTEL_SERVICE_NAME") or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return Resource.create({} if named else {"service.name": "orchestrator-py", "service.version": __version__})


def _parent(ids: TraceIds) -> Context:
    if ids.parent is None:
        return Context()
    state = TraceState.from_header([ids.state] if ids.state else [])
    parent = SpanContext(ids.trace_id, ids.parent, is_remote=True, trace_flags=TraceFlags(ids.flags), trace_state=state)
    return set_span_in_context(NonRecordingSpan(parent), Context())
