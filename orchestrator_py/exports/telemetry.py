"""OpenTelemetry of a command-line run, in a thread of its own: nothing waits for the library or the collector before the report is out,
and then not for long. Whatever becomes of it changes neither verdict nor exit code.
"""

import logging
import re
import warnings
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from threading import Event as Flag
from threading import Thread

from orchestrator_py.exports.otel import is_installed
from orchestrator_py.exports.trace_ids import TraceIds
from orchestrator_py.lean import define, field
from orchestrator_py.model.events import Event

PATIENCE_SECONDS = 2.0
"""For a collector that is slow, when everything else is done."""

_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_SIGNALS = {"spans": "TRACES", "metrics": "METRICS"}
_NEEDED = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")
_LIBRARY = ("opentelemetry", "urllib3", "requests")


def open_telemetry(environment: Mapping[str, str], say: Callable[[str], object]) -> "Telemetry | None":
    """Ready and at work, if the environment names a collector. What keeps it from work is said in a line."""
    signals = wanted_signals(environment)
    if not signals:
        return None
    if not all(map(is_installed, _NEEDED)):
        say(f"warning: {_ENDPOINT} is set, but nothing is sent: OpenTelemetry is not installed; pip install 'orchestrator-py[otel]'.")
        return None
    protocol = environment.get("OTEL_EXPORTER_OTLP_PROTOCOL", "").strip() or "http/protobuf"
    if protocol != "http/protobuf":
        say(f"warning: nothing is sent: OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}, and http/protobuf is what we speak; set it to that.")
        return None
    return Telemetry(TraceIds.from_environment(environment), signals)


def wanted_signals(environment: Mapping[str, str]) -> frozenset[str]:
    """`spans`, `metrics`, both or neither, by the variables of the OpenTelemetry specification."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return frozenset()
    return frozenset(signal for signal, name in _SIGNALS.items() if _is_wanted(environment, name))


def _is_wanted(environment: Mapping[str, str], name: str) -> bool:
    has_place = environment.get(_ENDPOINT) or environment.get(f"OTEL_EXPORTER_OTLP_{name}_ENDPOINT")
    return bool(has_place) and environment.get(f"OTEL_{name}_EXPORTER", "").strip().lower() != "none"


@define(eq=False)
class Telemetry:
    """A subscriber of events; `finish` ends it."""

    ids: TraceIds
    signals: frozenset[str]
    _waiting: "SimpleQueue[Event | None]" = field(factory=SimpleQueue, init=False)
    _unsent: set[str] = field(init=False)
    _trouble: str | None = field(default=None, init=False)
    _finishing: bool = field(default=False, init=False)
    _finished: Flag = field(factory=Flag, init=False)

    def __attrs_post_init__(self) -> None:
        self._unsent = set(self.signals)
        _redirect_log(self._hear)
        Thread(target=self._work, name="telemetry", daemon=True).start()

    # Called by the run: none of it waits -------------------------------------------------------------------------

    def __call__(self, event: Event) -> None:
        """News from the aggregator."""
        if not self._finished.is_set():
            self._waiting.put(event)

    def stage_environment(self, run_id: str, stage: str) -> Mapping[str, str]:
        """What the commands of a stage are told of the span that they work in."""
        return self.ids.environment(run_id, stage) if "spans" in self.signals else {}

    def finish(self) -> str | None:
        """Send what is left, for PATIENCE_SECONDS at most. The answer says what went wrong, None if everything was taken."""
        self._finishing = True
        self._waiting.put(None)
        if not self._finished.wait(PATIENCE_SECONDS):
            self._trouble = self._trouble or f"it did not take everything within {PATIENCE_SECONDS:g} s"
        if self._trouble is None:
            return None
        return f"warning: telemetry is not complete at the collector: {self._trouble}. The run and its record are not touched by that."

    # The threads -------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            from orchestrator_py.exports.otel_sending import Sending

            sending = Sending.open(self.ids, self.signals)
            while (event := self._waiting.get()) is not None:
                sending.sink.publish(event)
            sending.close(self._close)
        except Exception as error:  # whatever the library raises, it is told in the end, and the run goes on
            self._trouble = f"{type(error).__name__} in OpenTelemetry"
            self._finished.set()

    def _close(self, signal: str) -> None:
        self._unsent.discard(signal)
        if not self._unsent:
            self._finished.set()

    def _hear(self, record: logging.LogRecord) -> None:
        """What the library logs. It retries what it calls transient; at the end nobody waits for a collector that is not there."""
        message = record.getMessage()
        lost = record.levelno >= logging.ERROR or "dropping" in message.lower()
        unreachable = "transient" in message.lower() and "Connection" in message
        if lost or (unreachable and self._finishing):
            self._trouble = self._trouble or _reason(message)
        if unreachable and self._finishing:
            for signal in [signal for signal in self.signals if f" {signal} " in message]:
                self._close(signal)


def _reason(message: str) -> str:
    """In few words, without addresses: they may hold passwords."""
    if found := re.search(r"code: (\d{3})", message):
        return f"it answered {found[1]}"
    if found := re.search(r"\[Errno -?\d+\] ([A-Za-z ]+)", message):
        return found[1].strip().lower()
    if "timeout" in message.lower() or "timed out" in message.lower():
        return "it did not answer in time"
    if "dropping" in message.lower():
        return "it took less than there was to tell"
    return "it could not be reached, or answered something else than HTTP"


class _LogEar(logging.Handler):
    def __init__(self, hear: Callable[[logging.LogRecord], object]) -> None:
        super().__init__(logging.WARNING)
        self._hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        self._hear(record)


def _redirect_log(hear: Callable[[logging.LogRecord], object]) -> None:
    """What the library and those below it log or warn of goes nowhere else: not to stderr, where it would be a line for each retry."""
    warnings.filterwarnings("ignore", module="|".join(_LIBRARY))
    for name in _LIBRARY:
        logger = logging.getLogger(name)
        logger.handlers[:], logger.propagate = [_LogEar(hear)], False
