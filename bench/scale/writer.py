"""The single writer in virtual time: the package's mind decides, the modelled disk makes it last, in the order of its own shell."""

from collections import Counter
from collections.abc import Callable, Sequence

from attrs import define, field

from bench.scale.disk import Disk
from bench.scale.history import History
from bench.scale.mailbox import Mail, Mailbox
from bench.scale.meter import Meter
from bench.scale.scenario import Scenario
from bench.scale.track import Track
from bench.scale.virtual_time import Call, EventLoop, VirtualTime
from orchestrator_py.actors.aggregator import PROGRESS_SECONDS, PUBLISHING_SHARE
from orchestrator_py.core.aggregation import Aggregation
from orchestrator_py.ids import TaskId
from orchestrator_py.model.document import RunDocument
from orchestrator_py.model.effects import Effects
from orchestrator_py.model.events import Event
from orchestrator_py.model.messages import ClosedRun, CloseRun, OpenRun

TASK_ID = TaskId("simulated")


@define(eq=False)
class Writer:
    """Takes all mail that waits, handles it on the event loop, waits for the disk, answers; the next mail gathers meanwhile."""

    _scenario: Scenario
    _time: VirtualTime
    _loop: EventLoop
    _meter: Meter
    _on_event: Callable[[Event], object]
    _on_batch: Call
    mind: Aggregation = field(factory=lambda: Aggregation(TASK_ID), init=False)
    disk: Disk = field(init=False)
    history: History = field(init=False)
    mailbox: Mailbox = field(init=False)
    track: Track = field(factory=Track, init=False)
    handled: Counter[str] = field(factory=Counter, init=False)
    batches: int = field(default=0, init=False)
    commits: int = field(default=0, init=False)
    cpu: float = field(default=0.0, init=False)
    _is_serving: bool = field(default=False, init=False)
    _unpublished: bool = field(default=False, init=False)
    _publish_at: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self.disk = Disk(self._scenario)
        self.history = History(self._meter)
        self.mailbox = Mailbox(self._scenario.capacity, self._time, self._wake)

    def _wake(self) -> None:
        if not self._is_serving:
            self._is_serving = True
            self._loop.post(self._serve)

    # One batch -----------------------------------------------------------------------------------------------------

    def _serve(self) -> tuple[float, Call]:
        self.track.note(self._time.seconds, mail=len(self.mailbox.mail), senders=len(self.mailbox.senders))
        batch = self.mailbox.take_all()
        effects = [self._handle(mail) for mail in batch]
        seconds = sum(map(self._microseconds, batch, effects)) / 1e6
        self.batches += 1
        self.cpu += seconds
        return seconds, lambda: self._perform(batch, effects)

    def _handle(self, mail: Mail) -> Effects:
        name = type(mail.message).__name__
        self.handled[name] += 1
        return self._meter.call(f"writer: {name}", self.mind.handle, mail.message)

    def _microseconds(self, mail: Mail, effects: Effects) -> float:
        match mail.message, effects.reply:
            case OpenRun(order=order), _:
                return self._scenario.message_us + self._scenario.open_us * len(order)
            case CloseRun(), ClosedRun():
                return self._scenario.message_us + self._scenario.close_us * _closed_subtasks(effects)
            case _:
                return self._scenario.message_us

    def _perform(self, batch: Sequence[Mail], effects: Sequence[Effects]) -> None:
        self.mailbox.admit()
        entries = [entry for effect in effects for entry in effect.entries]
        written = sum(self._print(document) for effect in effects for document in (*effect.before, *effect.after))
        written += self.history.commit(entries)
        self.commits += bool(entries)
        self._unpublished = self._unpublished or bool(entries)
        seconds = self.disk.take(written=written, syncs=bool(entries)) if written else 0.0
        printing = self._scenario.print_us / 1e6 * sum(map(_closed_subtasks, effects))
        self.cpu += printing
        self._time.after(printing + seconds, lambda: self._announce(batch, effects))

    def _print(self, document: RunDocument) -> int:
        """Its bytes. The shell's own writer does this in its thread."""
        return self._meter.call("writer: print, in its thread", lambda: sum(map(len, document.pieces())))

    def _announce(self, batch: Sequence[Mail], effects: Sequence[Effects]) -> None:
        for mail, effect in zip(batch, effects, strict=True):
            for event in effect.events:
                self._on_event(event)
            if mail.on_reply is not None:
                mail.on_reply(effect.reply)
        self._on_batch()
        self._time.after(self._publish(), self._rest)

    def _publish(self) -> float:
        """Seconds; 0 if nothing is due."""
        if not self._unpublished or self._time.seconds < self._publish_at:
            return 0.0
        self._unpublished = False
        sizes = self.history.publish(self._time.now())
        seconds = self.disk.take(written=sum(sizes), syncs=len(sizes))
        self._publish_at = self._time.seconds + seconds + max(PROGRESS_SECONDS, seconds / PUBLISHING_SHARE)
        return seconds

    def close(self) -> None:
        """What is not yet published is published now."""
        self._publish_at = self._time.seconds
        self._publish()

    def _rest(self) -> None:
        self._is_serving = False
        if self.mailbox.mail:
            self._wake()


def _closed_subtasks(effects: Effects) -> int:
    """Of the run that is closed by them, if one is."""
    return len(effects.reply.summary.subtasks) if isinstance(effects.reply, ClosedRun) else 0
