"""Collectors at a port of their own: one that understands OTLP, and several that do not."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from attrs import define, field
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

LOOPBACK = "127.0.0.1"


@define
class Collector:
    """What it was sent, decoded."""

    status: int = 200
    url: str = ""
    traces: list[ExportTraceServiceRequest] = field(factory=list)
    metrics: list[ExportMetricsServiceRequest] = field(factory=list)

    @property
    def spans(self) -> dict[str, Span]:
        """By their names, each of which is there once."""
        every = [span for request in self.traces for part in request.resource_spans for scope in part.scope_spans for span in scope.spans]
        by_name = {span.name: span for span in every}
        assert len(by_name) == len(every)
        return by_name

    @property
    def figures(self) -> dict[str, Metric]:
        """The last that was told of each."""
        parts = (part for request in self.metrics for part in request.resource_metrics)
        return {metric.name: metric for part in parts for scope in part.scope_metrics for metric in scope.metrics}

    def resource(self) -> dict[str, object]:
        return attributes(self.traces[0].resource_spans[0].resource.attributes)


def attributes(pairs: Sequence[KeyValue]) -> dict[str, object]:
    """As plain values."""
    found: dict[str, object] = {}
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        assert kind is not None
        found[pair.key] = getattr(pair.value, kind)
    return found


@contextmanager
def collecting(status: int = 200) -> Iterator[Collector]:
    """A collector, or one that answers everything with another status."""
    collector = Collector(status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            match self.path:
                case "/v1/traces":
                    collector.traces.append(ExportTraceServiceRequest.FromString(body))
                case "/v1/metrics":
                    collector.metrics.append(ExportMetricsServiceRequest.FromString(body))
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        collector.url = f"http://{LOOPBACK}:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield collector
        server.shutdown()
        thread.join()


@contextmanager
def nobody() -> Iterator[str]:
    """An address where nothing listens: the port is taken, so that nobody else comes to listen there."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        yield _url(taken)


@contextmanager
def silence() -> Iterator[str]:
    """Connections are accepted, by the kernel, and nothing is ever said."""
    with socket.create_server((LOOPBACK, 0), backlog=50) as listening:
        yield _url(listening)


@contextmanager
def garbage() -> Iterator[str]:
    """Whatever is said, the answer is no HTTP."""
    with socket.create_server((LOOPBACK, 0)) as listening:
        Thread(target=_answer_garbage, args=(listening,), daemon=True).start()
        yield _url(listening)
        listening.shutdown(socket.SHUT_RDWR)


@contextmanager
def refusing() -> Iterator[str]:
    """Every request fails."""
    with collecting(500) as collector:
        yield collector.url


def _answer_garbage(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            connection.sendall(b"\x00\xff SSH-2.0-what?\r\n" * 10)


def _url(bound: socket.socket) -> str:
    return f"http://{LOOPBACK}:{bound.getsockname()[1]}"
