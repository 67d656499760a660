"""The single writer of one task: takes all mail that waits, lets the mind handle it, commits the batch once, then answers.

Order within a batch: documents that must stand before, one commit of all entries, documents that speak of it, events, replies.
A reply means that it is on disk.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from orchestrator_py.actors.flight_watch import FlightWatch
from orchestrator_py.actors.mailbox import Answer, Envelope, Mailbox
from orchestrator_py.actors.outlast import ENDS_THE_PROGRAM, forget_cancellation, is_being_cancelled, leave_loop_with, run_in_thread
from orchestrator_py.core.aggregation import Aggregation
from orchestrator_py.errors import DefectError, NotRecordedError, OrchestratorError, StoreError
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import define, field
from orchestrator_py.model.document import RunDocument
from orchestrator_py.model.effects import NOTHING, Effects
from orchestrator_py.model.events import Event
from orchestrator_py.model.messages import Flush, Message
from orchestrator_py.ports import Clock, EventSink, FlightBoard, HistoryStore, RunFiles

T = TypeVar("T")
Handled = tuple[Answer | None, Effects]
_log = logging.getLogger("orchestrator_py")

PROGRESS_SECONDS = 0.2
"""At most one publication (manifests in flight, rollups) in this time while mail keeps coming."""

ROLLUP_SECONDS = 1.0
"""While mail keeps coming rollups are so far behind, and come at most once in this time: each of their files waits for the disk."""

BREATH_SECONDS = 0.02
"""Without mail for so long the writer is idle. Who waited for a commit may ask for the next run at once, and must not have to wait while
files for readers are written."""

QUEUE_SECONDS = 3.0
"""While no run goes on: so often it is looked whether other processes have queued something, which nobody tells us."""

PUBLISHING_SHARE = 0.1
"""Of its time the writer spends at most this share on publications, so that a slow disk does not stall the commits."""


@define
class Aggregator:
    """The shell around one task's Aggregation. `run` lives until the last handle to its mailbox is closed.

    Without `open_board`, embedded runs that go on are not shown. `has_queued` tells, in the writer's thread, whether other processes have
    queued entries for the history; without it there are none.
    """

    task_id: TaskId
    _open_history: Callable[[], HistoryStore]
    _files: RunFiles
    _sink: EventSink
    _clock: Clock
    _open_board: Callable[[], FlightBoard] | None = None
    _has_queued: Callable[[], bool] | None = None
    _mind: Aggregation = field(init=False)
    _flights: FlightWatch = field(init=False)
    _loop_is_closing: bool = field(default=False, init=False)
    _unrecorded: list[tuple[Answer, Exception]] = field(factory=list, init=False)
    _complained: bool = field(default=False, init=False)
    _unpublished: bool = field(default=False, init=False)
    _heard_at: float = field(default=-math.inf, init=False)
    _publish_at: float = field(default=-math.inf, init=False)
    _rollups_at: float = field(default=-math.inf, init=False)

    def __attrs_post_init__(self) -> None:
        self._mind = Aggregation(self.task_id)
        self._flights = FlightWatch(self.task_id, self._mind.runs, self._open_board, self._clock)

    async def run(self, mailbox: Mailbox[Message]) -> None:
        """Serve the mailbox. Never raises: a failure ends the mailbox, and everybody who waits or writes is told of it.

        A cancellation comes from an event loop that is closing, which cancels the runs too: their last news is still put on record.
        """
        try:
            history = await self._in_thread(self._open_history)
            try:
                await self._serve(mailbox, history)
            finally:
                await self._in_thread(lambda: self._close(history))
            mailbox.close()
        except Exception as error:  # the boundary of the actor: what happens here is told to all who wait
            mailbox.fail(error if isinstance(error, OrchestratorError) else _defect(self.task_id, error), self._unrecorded)

    def _close(self, history: HistoryStore) -> None:
        try:
            history.close()
        finally:
            self._flights.close()

    async def _serve(self, mailbox: Mailbox[Message], history: HistoryStore) -> None:
        while (batch := await self._receive(mailbox)) is not None:
            handled, nothing_came = self._handle(batch), not batch
            self._heard_at = self._heard_at if nothing_came else self._clock.monotonic()
            del batch  # most of it has served its turn
            await self._perform_or_tell(history, handled)
            self._announce(handled)
            self._flights.plan()
            if self._is_due():
                await self._publish(history)
            elif self._has_queued is not None and self._is_idle and nothing_came:
                await self._take_in(history, self._has_queued)
            if self._flights.is_due:
                await self._flights.look(self._in_thread)

    def _handle(self, batch: Sequence[Envelope[Message]]) -> "list[Handled]":
        """What those ask for that ask for something, or wait for an answer: most of it is only taken note of.

        Whether a run is heard is asked once: nobody comes or goes meanwhile.
        """
        heard: dict[RunId, bool] = {}
        handled: list[Handled] = []
        for message, answer in batch:
            if isinstance(message, Flush):
                effects = self._mind.handle(message)
            else:
                run_id = message.run_id
                if run_id not in heard:
                    heard[run_id] = self._sink.hears(run_id)
                effects = self._mind.handle(message, heard=heard[run_id])
            if effects is not NOTHING or answer is not None:
                handled.append((answer, effects))
        return handled

    async def _receive(self, mailbox: Mailbox[Message]) -> list[Envelope[Message]] | None:
        """The next mail; None when nothing more will come, or the loop is closing and no run is in flight any more."""
        while not (self._loop_is_closing and mailbox.is_empty and not self._mind.runs):
            try:
                return await mailbox.receive(self._patience())
            except asyncio.CancelledError:
                self._note_cancellation()
        return None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        try:
            return await run_in_thread(work)
        finally:
            if is_being_cancelled():
                self._note_cancellation()

    def _note_cancellation(self) -> None:
        self._loop_is_closing = True
        forget_cancellation()

    async def _perform_or_tell(self, history: HistoryStore, handled: "Sequence[Handled]") -> None:
        """A run whose entry could not be committed keeps its verdict: whoever waits for it gets both."""
        try:
            await self._perform(history, [effects for _, effects in handled])
        except StoreError as error:
            for answer, effect in ((answer, effect) for answer, effect in handled if answer is not None):
                for entry in effect.entries:
                    message = f"{error} Run {entry.run_id} has ended, but its entry is not known to be on record."
                    self._unrecorded.append((answer, NotRecordedError(message, entry=entry.line, report=effect.reply)))
            raise

    async def _perform(self, history: HistoryStore, effects: Sequence[Effects]) -> None:
        shown = [document for effect in effects for document in effect.shown]
        before = [document for effect in effects for document in effect.before]
        entries = [entry for effect in effects for entry in effect.entries]
        after = [document for effect in effects for document in effect.after]
        flush = any(effect.flush for effect in effects)
        if not (shown or before or entries or after or flush):
            return
        if flush:
            after.extend(self._mind.progress_documents(self._clock.now()))

        def commit() -> None:  # one sync function in one thread hop
            self._show(shown)
            self._write(before)
            if entries:
                history.commit(entries)
            self._write(after)
            if flush:
                history.flush()

        await self._in_thread(commit)
        if entries:
            self._heard_at = self._clock.monotonic()
            if not self._unpublished:
                self._publish_at = max(self._publish_at, self._heard_at + BREATH_SECONDS)
                self._rollups_at = max(self._rollups_at, self._heard_at + ROLLUP_SECONDS)
        self._unpublished = (self._unpublished or bool(entries)) and not flush

    def _announce(self, handled: "Sequence[Handled]") -> None:
        for answer, effect in handled:
            for event in effect.events:
                self._tell_sink(event)
            if answer is not None:
                answer.set(effect.reply)

    def _tell_sink(self, event: Event) -> None:
        try:
            self._sink.publish(event)
        except ENDS_THE_PROGRAM as error:
            leave_loop_with(error)
        except BaseException:  # a subscriber that raises cannot change a verdict
            _log.exception("an event subscriber raised; the run is not touched by it")

    # Publications: how a run in flight, and the rollups, show -----------------------------------------------------

    def _patience(self) -> float:
        """How long to wait for mail: until the next publication is due, or while nothing goes on the next look at the queue."""
        due_at = self._publish_at if self._unpublished or self._mind.has_progress else math.inf
        due_at = min(due_at, self._flights.due_at)
        if due_at == math.inf:
            return QUEUE_SECONDS if self._has_queued is not None and self._is_idle else math.inf
        return max(0.0, due_at - self._clock.monotonic())

    @property
    def _is_idle(self) -> bool:
        """A run that goes on is not put at risk by what others have queued: it waits until the run's own entry is on record."""
        return not self._mind.runs

    def _is_due(self) -> bool:
        return (self._unpublished or self._mind.has_progress) and self._clock.monotonic() >= self._publish_at

    async def _publish(self, history: HistoryStore) -> None:
        started = self._clock.monotonic()  # a large manifest takes longer to make than to write
        idle = started >= self._heard_at + BREATH_SECONDS
        documents = self._mind.progress_documents(self._clock.now())
        rollups = self._unpublished and (idle or started >= self._rollups_at)
        self._unpublished = self._unpublished and not (rollups and idle)  # what was published under load is still to be folded

        def publish() -> None:
            self._show(documents)
            if rollups and idle:
                history.rest()
            elif rollups:
                history.publish()

        if documents or rollups:
            await self._in_thread(publish)
        ended = self._clock.monotonic()
        if rollups:
            self._rollups_at = ended + ROLLUP_SECONDS
        self._publish_at = ended + max(PROGRESS_SECONDS, (ended - started) / PUBLISHING_SHARE)

    async def _take_in(self, history: HistoryStore, has_queued: Callable[[], bool]) -> None:
        def look() -> None:
            if has_queued():
                history.rest()

        await self._in_thread(look)

    def _show(self, documents: Sequence[RunDocument]) -> None:
        """What is for readers only: a disk that refuses it does not take the run's verdict. It is told once, with the file's name."""
        try:
            self._write(documents)
        except StoreError as error:
            if not self._complained:
                self._complained = True
                _log.warning("not written: %s", error)

    def _write(self, documents: Sequence[RunDocument]) -> None:
        if documents:
            self._files.write(documents)


def _defect(task_id: TaskId, error: Exception) -> DefectError:
    _log.error("the aggregator of task %s failed", task_id, exc_info=error)
    return DefectError(f"The aggregator of task {task_id} failed ({type(error).__name__}: {error}); its reports cannot be vouched for.")
