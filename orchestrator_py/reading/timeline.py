"""Who ran when in one run, on which instance of the scheduler plan: from its events and its manifest. Times are seconds since 1970."""

from collections import Counter
from collections.abc import Iterator

from orchestrator_py.model.timestamp import parse_timestamp
from orchestrator_py.reading.events import events_of, is_reuse
from orchestrator_py.reading.files import Data, UnreadableError
from orchestrator_py.reading.flights import Flight
from orchestrator_py.reading.run import LOST, QUEUED, RUNNING, Run, text_of

PENDING = "pending"
_TYPES = ("stage:started", "tool:call", "stage:completed")
_BY_STATUS = {"skipped": "failed"}
"""The manifest has one word for a stage that failed and was waived."""


class Span:
    """One attempt. `end` is None while it goes on, and if nobody saw its end; `word` says how it ended, or running, or lost."""

    __slots__ = ("end", "start", "word")

    def __init__(self, start: float, end: float | None, word: str) -> None:
        self.start = start
        self.end = end
        self.word = word


class StageTimes:
    """One stage of a run. `word` is its outcome, or pending, running, lost; `instance` is empty, `attempts` None if that is not on record.

    Not every attempt needs to have a span: those of a sub-pipeline and of an embedded subtask are only counted.
    """

    __slots__ = ("attempts", "flaky", "instance", "reason", "spans", "stage", "waived", "word")

    def __init__(self, stage: Data, word: str) -> None:
        self.stage = stage
        self.word = word
        self.instance = ""
        self.spans: list[Span] = []
        self.attempts: int | None = None
        self.flaky = False
        self.waived = text_of(stage, "status") == "skipped"
        self.reason = ""

    @property
    def id(self) -> str:
        return text_of(self.stage, "id")

    @property
    def start(self) -> float | None:
        """When it was taken up."""
        return self.spans[0].start if self.spans else None

    @property
    def seconds(self) -> float | None:
        """From its first start to its last end, pauses included; None if it goes on, was lost or never started."""
        end = self.spans[-1].end if self.spans and self.word not in (RUNNING, LOST) else None
        return None if end is None else max(0.0, end - self.spans[0].start)


class Instance:
    """A worker slot of the scheduler plan. `start` and `end` are those of its last attempt, None if it has none."""

    __slots__ = ("attempts", "capability", "end", "id", "start", "status")

    def __init__(self, assignment: Data) -> None:
        attempts = assignment.get("attempts")
        found = [attempt for attempt in attempts if isinstance(attempt, dict)] if isinstance(attempts, list) else []
        last = found[-1] if found else {}
        self.id, self.capability, self.status = (text_of(assignment, key) for key in ("instance_id", "capability", "status"))
        self.start, self.end = (seconds_of_time(last.get(key)) for key in ("started_at", "completed_at"))
        self.attempts = len(found)


class Timeline:
    """`start` and `end` enclose all spans; `stages` stand in the order of the pipeline."""

    __slots__ = ("end", "run", "stages", "start")

    def __init__(self, run: Run, stages: list[StageTimes], start: float, end: float) -> None:
        self.run = run
        self.stages = stages
        self.start = start
        self.end = end

    @property
    def untold(self) -> Counter[str]:
        """How many more subtasks the run has, by word: of a large one in flight, most are only counted."""
        words = Counter[str]()
        for status, count in self.run.left_out.items() if isinstance(self.run, Flight) else ():
            word = self.run.word_of_status(status)
            words[_BY_STATUS.get(word, word)] += count
        return words


def read_timeline(run: Run, now: str, problems: list[UnreadableError]) -> Timeline:
    """What is on record at that moment; an older record, or a damaged one, tells less."""
    stages = [StageTimes(stage, _word(run, stage)) for stage in run.objects("commands")]
    by_id, heard = {stage.id: stage for stage in stages}, list[float]()
    for event in events_of(run, _TYPES, problems):
        stage = by_id.get(text_of(event, "stageId"))
        if stage is not None:
            heard += _hear(stage, event)
    for stage in stages:
        if isinstance(run, Flight):
            _hear_flight(stage, run.told.get(stage.id, {}))
        _close(stage)
    return Timeline(run, stages, *_bounds(run, stages, heard, now))


def _word(run: Run, stage: Data) -> str:
    word = run.stage_word(stage)
    return _BY_STATUS.get(word, word)


def _hear(stage: StageTimes, event: Data) -> list[float]:
    """The moment at which it was told, if it is one."""
    at = seconds_of_time(event.get("timestamp"))
    match event:
        case {"type": "stage:started"} if at is not None:  # again, if the run was taken up again
            stage.instance, stage.spans, stage.attempts = text_of(event, "instanceId"), [Span(at, None, RUNNING)], None
        case {"type": "tool:call", "status": "started", "attempt": int(number)} if at is not None and number > len(stage.spans) > 0:
            stage.spans.append(Span(at, None, RUNNING))
            stage.attempts = number
        case {"type": "tool:call", "attempt": int(number)} if at is not None and 0 < number == len(stage.spans):
            stage.attempts = number
            stage.spans[-1].end = at  # of its last command: build, test or review
            stage.spans[-1].word = text_of(event, "status")
        case {"type": "stage:completed"} if not stage.spans or not is_reuse(event):
            if event.get("attempts") == 0:  # when the run was taken up again, it did not get as far as before
                stage.instance, stage.spans = "", []
            stage.word = text_of(event, "outcome") or stage.word
            stage.reason = text_of(event, "reason")
            stage.attempts = _count(event.get("attempts")) or stage.attempts
            stage.flaky, stage.waived = event.get("flaky") is True, event.get("waived") is True
        case _:
            pass
    return [] if at is None else [at]


def _hear_flight(stage: StageTimes, told: Data) -> None:
    """An embedded run has no events; the times of earlier attempts are not told."""
    stage.instance, stage.reason = text_of(told, "instance"), text_of(told, "reason")
    stage.word = text_of(told, "outcome") or stage.word
    stage.attempts = _count(told.get("attempt"))
    stage.flaky, stage.waived = told.get("flaky") is True, told.get("waived") is True


def _close(stage: StageTimes) -> None:
    """The manifest knows start and end, also without events. What goes on has no end, unless its last attempt failed: it may try again."""
    started, completed = (seconds_of_time(stage.stage.get(key)) for key in ("started_at", "completed_at"))
    if not stage.spans and started is not None:
        stage.spans.append(Span(started, None, RUNNING))
    if not stage.spans:
        stage.attempts = 0
        return
    last = stage.spans[-1]
    if stage.word not in (RUNNING, LOST):
        last.word, last.end = stage.word, last.end if completed is None else completed
    elif last.word != "failed":
        last.word, last.end = stage.word, None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _bounds(run: Run, stages: list[StageTimes], heard: list[float], now: str) -> tuple[float, float]:
    """A run that goes on reaches to now, a lost one to the last thing that anybody saw of it."""
    known = [moment for stage in stages for span in stage.spans for moment in (span.start, span.end) if moment is not None]
    start = seconds_of_time(run.manifest.get("started_at"))
    end = seconds_of_time(now if run.word in (QUEUED, RUNNING) else run.text("completed_at") or run.last_seen)
    known += [moment for moment in (start, end, *(heard if run.word == LOST else ())) if moment is not None]
    return (min(known), max(known)) if known else (0.0, 0.0)


def instances_of(run: Run) -> Iterator[Instance]:
    """The assignments of the run's scheduler plan, in its order."""
    scheduler = run.manifest.get("scheduler")
    assignments = scheduler.get("assignments") if isinstance(scheduler, dict) else None
    for assignment in assignments if isinstance(assignments, list) else []:
        if isinstance(assignment, dict):
            yield Instance(assignment)


def seconds_of_time(value: object) -> float | None:
    """Seconds since 1970 of a moment as the record writes it, None if it is none."""
    moment = parse_timestamp(value)
    return None if moment is None else moment.timestamp()
