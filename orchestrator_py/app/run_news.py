"""The run events of one call of the program: each run's go into its `events.jsonl`, all of them to whoever wants to show them.

A thread of its own translates, numbers and writes, so that neither the run nor its deadlines wait for a disk or a reader.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event as Signal
from threading import Thread
from typing import Self

from orchestrator_py.app.pipeline_site import PipelineSite
from orchestrator_py.core.json_text import compact_json, encode_json
from orchestrator_py.core.run_stream import TOLD, Data, RunPlaces, RunStream, StageNews
from orchestrator_py.errors import StoreError
from orchestrator_py.ids import RunId
from orchestrator_py.lean import define, field, frozen
from orchestrator_py.model.events import Event, RunCompleted, RunStarted
from orchestrator_py.model.manifest import Manifest
from orchestrator_py.store.event_log import LogFile

LONGEST_BACKLOG = 4 * 1024 * 1024
"""Characters of output that may wait for a slow reader; more of it is not told, and that is said."""

GATHERING_SECONDS = 0.01
"""So long the thread waits for more news after the first: waking it for each of them would cost the run more than telling them."""


@frozen(kw_only=True)
class _End:
    """The verdict is on record and everything is closed, or there is an `error`."""

    exit_code: int
    error: str | None = None
    more: Mapping[str, object] = field(factory=dict)


@define(eq=False)
class RunNews:
    """A subscriber of events, and the ear of the stages' logs. `show` gets lines in order; `say` gets what goes wrong with a file.

    Used as `with RunNews(...)`: leaving waits until everything is in the files and was shown. The last event of the run that was asked
    for waits for `complete` or `fail`, which say how the call ends: it is the last line.
    """

    site: PipelineSite
    say: Callable[[str], object]
    show: Callable[[Sequence[str]], object] = lambda _: None
    backlog: Callable[[], int] = lambda: 0
    with_logs: bool = False
    _stream: RunStream = field(init=False)
    _waiting: "SimpleQueue[Event | StageNews | _End | None]" = field(factory=SimpleQueue, init=False)
    _thread: Thread = field(init=False)
    _hurry: Signal = field(factory=Signal, init=False)
    _files: "_EventFiles" = field(init=False)
    _asked: Manifest | None = field(default=None, init=False)
    _last: Data | None = field(default=None, init=False)
    _heard: int = field(default=0, init=False)  # characters that came in, counted by the run
    _told: int = field(default=0, init=False)  # characters that went out, counted by the thread
    _untold: dict[tuple[RunId, int], int] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._stream = RunStream(self._places, with_logs=self.with_logs)
        self._files = _EventFiles(self.site, self.say)

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._work, name="run events", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._hurry.set()
        self._waiting.put(None)
        self._thread.join()

    # Called by the run: none of it waits --------------------------------------------------------------------------

    def __call__(self, event: Event) -> None:
        """News from the aggregator."""
        if isinstance(event, TOLD):
            self._waiting.put(event)

    def hear(self, news: StageNews) -> None:
        """News from a stage. Output that comes faster than it can be told is left out, and counted."""
        size, place = _size(news), (news.run_id, news.index)
        if size and not self.with_logs:
            return
        if size and self._heard - self._told + self.backlog() > LONGEST_BACKLOG:
            self._untold[place] = self._untold.get(place, 0) + size
            return
        self._heard += size
        self._waiting.put(_with_untold(news, self._untold.pop(place, 0)))

    def complete(self, exit_code: int) -> None:
        """The verdict stands, and this is the exit code."""
        self._waiting.put(_End(exit_code=exit_code))

    def fail(self, message: str, exit_code: int, more: Mapping[str, object] | None = None) -> None:
        """The call ends without a verdict on record."""
        self._waiting.put(_End(exit_code=exit_code, error=message, more=more or {}))

    # The thread ---------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        going = True
        while going:
            batch = self._next_batch()
            going = None not in batch
            told = [data for news in batch if news is not None for data in self._tell(news)]
            lines = [compact_json(data) for data in told]
            self._files.write([(data, line) for data, line in zip(told, lines, strict=True)])
            self._told += sum(_size(news) for news in batch if isinstance(news, StageNews))
            if lines:
                self.show(lines)
        self._files.close()

    def _next_batch(self) -> "list[Event | StageNews | _End | None]":
        """Waits for one, then takes what else is there. Output is for somebody who looks on: it is not kept waiting."""
        batch = [self._waiting.get()]
        if not self.with_logs:
            self._hurry.wait(GATHERING_SECONDS)
        with suppress(Empty):
            while batch[-1] is not None:
                batch.append(self._waiting.get_nowait())
        return batch

    def _tell(self, news: "Event | StageNews | _End") -> list[Data]:
        if isinstance(news, _End):
            return self._end(news)
        if isinstance(news, RunStarted) and self._asked is None:
            self._asked = news.manifest
        told = list(self._stream.tell(news))
        if isinstance(news, RunCompleted) and self._asked is not None and news.run_id == self._asked.run_id:
            self._last = told.pop()
        return told

    def _end(self, end: _End) -> list[Data]:
        last, self._last = self._last, None
        if end.error is None:
            return [] if last is None else [{**last, "exitCode": end.exit_code}]
        if last is not None:
            self._stream.take_back()
        return [self._stream.fail(end.error, end.exit_code, at=self.site.clock.now(), run=self._asked, more=end.more)]

    def _places(self, run_id: RunId) -> RunPlaces:
        folder, metrics = self.site.folder(run_id), self.site.task.metrics
        return RunPlaces(manifest=str(folder.manifest), log=str(folder.runner_log), metrics=str(metrics))


def _size(news: StageNews) -> int:
    """Of the output that it carries."""
    data = news.event.get("data")
    return len(data) if isinstance(data, str) else 0


def _with_untold(news: StageNews, untold: int) -> StageNews:
    if not untold:
        return news
    return StageNews(
        timestamp=news.timestamp,
        task_id=news.task_id,
        run_id=news.run_id,
        index=news.index,
        stage_id=news.stage_id,
        event=news.event,
        untold=untold,
    )


@define(eq=False)
class _EventFiles:
    """`events.jsonl` of the run that was asked for holds every line, that of a child run its own. What cannot be written is given up."""

    site: PipelineSite
    say: Callable[[str], object]
    _files: dict[RunId, LogFile | None] = field(factory=dict, init=False)
    _asked: RunId | None = field(default=None, init=False)

    def write(self, told: Sequence[tuple[Data, str]]) -> None:
        """One append for each file."""
        lines_of: dict[RunId, list[bytes]] = {}
        for data, line in told:
            run_id = data["runId"]
            if not isinstance(run_id, str):
                continue  # nothing was begun: there is no folder either
            self._asked = self._asked or RunId(run_id)
            for owner in {self._asked, RunId(run_id)}:
                lines_of.setdefault(owner, []).append(encode_json(f"{line}\n"))
        for owner, lines in lines_of.items():
            self._append(owner, lines)
        for data, _ in told:
            if data["type"] == "run:completed":
                self._close(RunId(str(data["runId"])))

    def close(self) -> None:
        for run_id in tuple(self._files):
            self._close(run_id)

    def _append(self, run_id: RunId, lines: Sequence[bytes]) -> None:
        if run_id not in self._files:
            self._files[run_id] = LogFile(path=self.site.folder(run_id).events)
        file = self._files[run_id]
        if file is None:
            return
        try:
            file.append(b"".join(lines))
        except StoreError as error:
            self._give_up(run_id, error)

    def _close(self, run_id: RunId) -> None:
        file = self._files.get(run_id)
        try:
            if file is not None:
                file.close()
        except StoreError as error:
            self._give_up(run_id, error)

    def _give_up(self, run_id: RunId, error: StoreError) -> None:
        """What it has torn must stay the last line; the run is not touched by it."""
        file, self._files[run_id] = self._files.get(run_id), None
        if file is not None:
            with suppress(StoreError):
                file.close()
            self.say(f"warning: {error} The events of run {run_id} are not complete there; its record is.")
