"""OpenTelemetry for an embedded manager: `manager.subscribe(OpenTelemetrySink())`. The providers are the embedding program's own."""

from orchestrator_py.errors import InputError
from orchestrator_py.model.events import Event

TYPE_CHECKING = False  # the library is imported when a sink is made
if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from orchestrator_py.exports.otel_figures import RunFigures
    from orchestrator_py.exports.otel_spans import NameNext, RunSpans

SCOPE = "orchestrator_py"


class OpenTelemetrySink:
    """An event sink that makes spans and figures of runs, by the conventions for CI/CD; docs/exports.md lists them.

    Without providers, those that are set globally get them. `parent`: a context whose span the runs belong below. One sink belongs to one
    manager. It sends nothing itself: that is the providers' business, and so is shutting them down. InputError if OpenTelemetry is not
    installed.
    """

    def __init__(
        self,
        *,
        tracer_provider: "TracerProvider | None" = None,
        meter_provider: "MeterProvider | None" = None,
        parent: "Context | None" = None,
        name_next: "NameNext" = lambda *_: None,
        traces: bool = True,
        metrics: bool = True,
    ) -> None:
        require_library("opentelemetry.trace")
        self._parts: list[RunSpans | RunFigures] = []
        if traces:
            self._parts.append(_spans(tracer_provider, parent, name_next))
        if metrics:
            self._parts.append(_figures(meter_provider))

    def publish(self, event: Event) -> None:
        """Takes one piece of news; nothing waits."""
        for part in self._parts:
            part.tell(event)

    __call__ = publish

    def close(self) -> None:
        """No more news: a run without an end is told of as one whose report cannot be vouched for."""
        for part in self._parts:
            part.close()


def require_library(*modules: str) -> None:
    """InputError names the remedy."""
    if not all(map(is_installed, modules)):
        raise InputError("OpenTelemetry is not installed; pip install 'orchestrator-py[otel]'.")


def is_installed(module: str) -> bool:
    """Whether it could be imported. The packages that it is in are."""
    from importlib.util import find_spec

    try:
        return find_spec(module) is not None
    except ImportError:
        return False


def _spans(provider: "TracerProvider | None", parent: "Context | None", name_next: "NameNext") -> "RunSpans":
    from opentelemetry.context import Context
    from opentelemetry.trace import get_tracer

    from orchestrator_py import __version__
    from orchestrator_py.exports.otel_spans import RunSpans

    tracer = get_tracer(SCOPE, __version__, tracer_provider=provider)
    return RunSpans(tracer, Context() if parent is None else parent, name_next)


def _figures(provider: "MeterProvider | None") -> "RunFigures":
    from opentelemetry.metrics import get_meter

    from orchestrator_py import __version__
    from orchestrator_py.exports.otel_figures import RunFigures

    return RunFigures(get_meter(SCOPE, __version__, meter_provider=provider))
