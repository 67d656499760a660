"""What is on record as Prometheus and OpenMetrics want it: for its textfile collector, and for whoever serves `/metrics`."""

from collections.abc import Iterable

from orchestrator_py.errors import InputError
from orchestrator_py.exports.task_figures import Figures, Memory
from orchestrator_py.ids import TaskId
from orchestrator_py.lean import frozen
from orchestrator_py.store.layout import Layout

TEXT = "text/plain; version=0.0.4; charset=utf-8"
"""The classic text format: the only one that node_exporter's textfile collector takes."""
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@frozen
class Exposition:
    """`content` is UTF-8; `problems` say in sentences what could not be read."""

    content_type: str
    content: bytes
    problems: tuple[str, ...] = ()


def exposition(layout: Layout, accept: str = "", *, tasks: Iterable[TaskId] | None = None, memory: Memory | None = None) -> Exposition:
    """The figures of the tasks, of all by default, in the format that the Accept header wants; the classic text format, if in doubt.

    A server keeps one `memory`, then each answer costs what is new in the histories; without one they are read from the start. Reads files:
    call it in a thread. A task that cannot be read keeps nobody from the others. InputError if prometheus-client is not installed,
    StoreError if the runs folder cannot be listed.
    """
    require_library()
    figures = (memory or Memory()).figures(layout, tasks)
    content_type = OPENMETRICS if _wants_openmetrics(accept) else TEXT
    problems = tuple(problem for task in figures.tasks for problem in task.problems)
    return Exposition(content_type, _encode(figures, content_type), problems)


def require_library() -> None:
    """InputError names the remedy."""
    from importlib.util import find_spec

    if find_spec("prometheus_client") is None:
        raise InputError("Prometheus figures need the library prometheus-client; pip install 'orchestrator-py[prometheus]'.")


def _encode(figures: Figures, content_type: str) -> bytes:
    from prometheus_client import exposition as text
    from prometheus_client.openmetrics import exposition as openmetrics

    from orchestrator_py.exports.metric_families import Collector

    encode = openmetrics.generate_latest if content_type == OPENMETRICS else text.generate_latest
    encoded: bytes = encode(Collector(figures))
    return encoded


def _wants_openmetrics(accept: str) -> bool:
    """Whether it is among what is accepted, in a version that we speak."""
    return any(_is_openmetrics(*[part.strip().lower() for part in offer.split(";")]) for offer in accept.split(","))


def _is_openmetrics(kind: str, *parameters: str) -> bool:
    named = dict(parameter.partition("=")[::2] for parameter in parameters)
    return kind == "application/openmetrics-text" and named.get("version", "1.").startswith("1.") and _weight(named.get("q", "1")) > 0


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
