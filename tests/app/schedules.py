"""Runs under a permuted event loop, and the audit of every promise after them."""

import asyncio
import gc
import json
import logging
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import anyio
from anyio.lowlevel import checkpoint
from attrs import define, evolve, field, frozen

from orchestrator_py.app.task_manager import TaskManager
from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.core.outcome import run_status
from orchestrator_py.errors import InputError
from orchestrator_py.ids import RunId
from orchestrator_py.model.events import Event, RunCompleted, RunStarted, SubtaskFinished
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.policy import RetryPolicy, SubtaskPolicy
from orchestrator_py.model.result import BuildInput, BuildResult, ReviewInput, ReviewResult, TestInput, TestResult
from orchestrator_py.model.summary import RunSummary
from orchestrator_py.model.task import PlanItem, PlanResult, TaskContext
from orchestrator_py.model.timestamp import Timestamp, format_timestamp
from tests.app.agents import built, checked, reviewed
from tests.app.permuted_loop import FIRST_DAY, PermutedLoop, StuckError, without_threads

RANKED = ("skipped", "succeeded", "cancelled", "crashed", "timed_out", "rejected", "failed", "error")
"""The outcome rules, written down once more: a verdict is the last of these words that any subtask carries."""

# What is run -------------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Work:
    """One planned subtask: how each of its attempts goes, the last one repeated."""

    name: str
    attempts: tuple[str, ...]
    needs: tuple[str, ...] = ()
    waived: bool = False
    tries: int = 1
    limit: float | None = None

    @property
    def item(self) -> PlanItem:
        retry = RetryPolicy(max_attempts=self.tries, backoff=timedelta(seconds=0.01))
        limit = None if self.limit is None else timedelta(seconds=self.limit)
        policy = SubtaskPolicy(needs=self.needs, allow_failure=self.waived, retry=retry, timeout=limit)
        return PlanItem(id=self.name, description=f"Do {self.name}", policy=policy)


@frozen(kw_only=True)
class Shape:
    """The runs that go on at once, by task and number, the policy, and whether anybody disturbs them."""

    plans: dict[str, tuple[Work, ...]]
    runs: tuple[str, ...]
    """Task ids, one for each run."""
    on_failure: str
    concurrency: int
    disturbed: bool

    @property
    def foreseen(self) -> bool:
        """The facts, and so the summaries, are the same in whatever order things happen."""
        return not self.disturbed and self.on_failure == "continue"


WAYS = ("good", "good", "good", "no build", "no test", "raises", "rejected", "reviewer raises", "hangs", "waits", "yields")


def create_shape(number: int) -> Shape:
    random = Random(f"shape {number}")
    plans = {f"task-{task}": tuple(_works(random)) for task in range(random.choice((1, 2, 3)))}
    return Shape(
        plans=plans,
        runs=tuple(random.choice(list(plans)) for _ in range(random.choice((1, 2, 4)))),
        on_failure=random.choice(("continue", "continue", "stop", "cancel")),
        concurrency=random.choice((1, 2, 3, 32)),
        disturbed=number % 2 == 1,
    )


def _works(random: Random) -> Iterator[Work]:
    names: list[str] = []
    for place in range(random.randrange(1, 7)):
        tries = random.choice((1, 1, 2, 3))
        attempts = tuple(random.choice(WAYS) for _ in range(tries))
        limit = random.choice((0.0, 0.001)) if "hangs" in attempts else random.choice((None, None, 3600.0))
        needs = tuple(name for name in names if random.random() < 0.3)
        names.append(f"s{place}")
        yield Work(name=names[-1], attempts=attempts, needs=needs, waived=random.random() < 0.2, tries=tries, limit=limit)


@frozen
class Crew:
    """All four agents of a shape."""

    shape: Shape

    async def plan(self, task: TaskContext) -> PlanResult:
        await checkpoint()
        return PlanResult(items=tuple(work.item for work in self.shape.plans[task.id]))

    async def build(self, given: BuildInput) -> BuildResult:
        way = self._way(given)
        match way:
            case "raises":
                raise RuntimeError("the builder has had enough")
            case "hangs":
                await anyio.sleep_forever()
            case "waits":
                await anyio.sleep(0.02 if given.target.policy.timeout is None else 0)
            case "yields":
                await checkpoint()
        return built(given, success=way != "no build")

    async def test(self, given: TestInput) -> TestResult:
        await checkpoint()
        return checked(given, success=self._way(given) != "no test")

    async def review(self, given: ReviewInput) -> ReviewResult:
        way = self._way(given)
        if way == "reviewer raises":
            raise RuntimeError("the reviewer is away")
        return reviewed(given, approved=way != "rejected")

    def _way(self, given: BuildInput | TestInput | ReviewInput) -> str:
        work = next(work for work in self.shape.plans[given.task.id] if work.name == given.target.id)
        return work.attempts[min(given.attempt or 1, len(work.attempts)) - 1]


@frozen
class LoopClock:
    """The loop's own time."""

    loop: PermutedLoop

    def now(self) -> Timestamp:
        return format_timestamp(datetime.fromtimestamp(FIRST_DAY + self.loop.time(), UTC))

    def monotonic(self) -> float:
        return self.loop.time()


# A trial -----------------------------------------------------------------------------------------------------------


@define(kw_only=True)
class Seen:
    """Everything that one trial showed."""

    shape: Shape
    events: dict[str, list[Event]] = field(factory=dict)
    told: dict[str, list[str]] = field(factory=dict)
    """By a stream that is read to its end: the names of the events."""
    summaries: dict[str, RunSummary] = field(factory=dict)
    wrong: list[str] = field(factory=list)
    lines: dict[str, list[bytes]] = field(factory=dict)
    """The history of each task."""

    def note(self, event: Event) -> None:
        self.events.setdefault(event.run_id, []).append(event)

    def recorded(self, run_id: str) -> list[dict[str, Any]]:
        """Its entries: here there should be one."""
        found = [json.loads(line) for lines in self.lines.values() for line in lines]
        return [entry for entry in found if entry["run_id"] == run_id]


def _raising(event: Event) -> None:
    raise RuntimeError("a subscriber that is broken")


@define(kw_only=True)
class Trial:
    """The runs of a shape in one manager, until all are over; `calls` are the tasks that asked for them."""

    loop: PermutedLoop
    shape: Shape
    seen: Seen = field(init=False)
    manager: TaskManager = field(init=False)
    calls: "list[asyncio.Task[None]]" = field(factory=list)
    main: "asyncio.Task[None] | None" = None
    left: bool = False
    """The manager's block is over."""

    def __attrs_post_init__(self) -> None:
        self.seen = Seen(shape=self.shape)
        crew: Any = Crew(self.shape)
        make: Any = TaskManager
        ids = iter(f"run-{number}" for number in range(1000))
        self.manager = make(
            planner=crew,
            builder=crew,
            tester=crew,
            reviewer=crew,
            max_concurrency=self.shape.concurrency,
            on_failure=self.shape.on_failure,
            clock=LoopClock(self.loop),
            run_id_factory=lambda task: next(ids),
        )

    async def go(self) -> None:
        """Leaves the manager when every call has ended, or when it is cancelled."""
        self.main = asyncio.current_task()
        tasks: list[asyncio.Task[None]] = []
        try:
            async with self.manager as manager:
                manager.subscribe(_raising)
                manager.subscribe(self.seen.note)
                tasks.append(asyncio.ensure_future(self._read(manager)))
                self.calls += [asyncio.ensure_future(self._call(manager, task_id)) for task_id in self.shape.runs]
                tasks += self.calls
                await asyncio.wait(self.calls)
        finally:
            self.left = True
            self._keep_lines()
            await self._outlast(tasks)

    async def _outlast(self, tasks: "Sequence[asyncio.Task[None]]") -> None:
        """Whoever asked has to be told in the end, without any help of ours."""
        with anyio.CancelScope(shield=True):
            while waiting := [task for task in tasks if not task.done()]:
                try:
                    await asyncio.wait(waiting)
                except asyncio.CancelledError:
                    continue

    async def _call(self, manager: TaskManager, task_id: str) -> None:
        try:
            summary = await manager.execute(TaskContext(id=task_id, title=task_id))
        except InputError as error:
            if "not open" not in str(error):
                self.seen.wrong.append(f"{error!r}")
            return
        except Exception as error:  # nothing else may come out
            self.seen.wrong.append(f"{error!r}")
            return
        self._keep_lines()
        self.seen.summaries[summary.run_id] = summary
        if len(self.seen.recorded(summary.run_id)) != 1:
            self.seen.wrong.append(f"{summary.run_id} is answered, and has {len(self.seen.recorded(summary.run_id))} entries")

    async def _read(self, manager: TaskManager) -> None:
        async for event in manager.events():
            self.seen.told.setdefault(event.run_id, []).append(type(event).__name__)

    def _keep_lines(self) -> None:
        self.seen.lines = {task_id: list(store.lines) for task_id, (store, _) in self.manager._service._memory.items()}


def run_trial(seed: object, shape: Shape, disturb: Callable[[Trial, int], object] = lambda trial, step: None) -> Trial:
    """A trial at its end; what is wrong with its loop stands in `seen.wrong`. `disturb` is called before each step."""
    loop = PermutedLoop(seed)
    trial = Trial(loop=loop, shape=shape)
    wrong = trial.seen.wrong
    loop.before_step = lambda step: disturb(trial, step)
    with without_threads(loop), _quiet(wrong):
        try:
            loop.run_until_complete(trial.go())
        except StuckError as error:
            wrong.append(str(error))
        except asyncio.CancelledError:
            pass
        loop.before_step, loop.steps = lambda step: None, 0
        loop.call_soon(loop.stop)
        loop.run_forever()  # what a cancelled reader or an ended task still has to say
        wrong.extend(f"still there: {task!r}" for task in asyncio.all_tasks(loop))
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.close()
    wrong.extend(loop.problems)
    return trial


@contextmanager
def _quiet(wrong: list[str]) -> Iterator[None]:
    """The broken subscriber is logged each time; nothing may be left un-awaited."""
    logger = logging.getLogger("orchestrator_py")
    before, logger.disabled = logger.disabled, True
    hook, sys.unraisablehook = sys.unraisablehook, lambda problem: wrong.append(f"{problem.exc_value!r}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        logger.disabled = before
        sys.unraisablehook = hook


def collect_left_overs() -> list[str]:
    """Of everything that went before: what only the garbage collector finds, un-awaited or never looked at."""
    wrong: list[str] = []
    with _quiet(wrong):
        gc.collect()
    return wrong


# The audit ---------------------------------------------------------------------------------------------------------


def audit(seen: Seen) -> list[str]:
    """What does not hold, of any run that was begun."""
    wrong = [*seen.wrong]
    known = {**seen.summaries}
    for run_id, events in seen.events.items():
        wrong += [f"{run_id}: {one}" for one in _audit_events(seen, run_id, events)]
        for event in events:
            if isinstance(event, RunCompleted):
                known.setdefault(run_id, event.summary)
    for run_id, summary in known.items():
        wrong += [f"{run_id}: {one}" for one in _audit_summary(seen, summary)]
    recorded = Counter(json.loads(line)["run_id"] for lines in seen.lines.values() for line in lines)
    if recorded != Counter(dict.fromkeys(seen.events, 1)):
        wrong.append(f"on record are {dict(recorded)}, begun were {list(seen.events)}")
    return wrong


def _audit_events(seen: Seen, run_id: str, events: list[Event]) -> Iterator[str]:
    kinds = [type(event) for event in events]
    if [event.seq for event in events] != list(range(1, len(events) + 1)):
        yield f"events are numbered {[event.seq for event in events]}"
    if kinds[0] is not RunStarted or kinds.count(RunStarted) != 1:
        yield "it does not begin once"
    if kinds[-1] is not RunCompleted or kinds.count(RunCompleted) != 1:
        yield f"its terminal events are {kinds.count(RunCompleted)}, its last one is {kinds[-1].__name__}"
    planned = sorted(work.name for work in seen.shape.plans[events[0].task_id])
    ended = sorted(event.report.subtask_id for event in events if isinstance(event, SubtaskFinished))
    if ended != planned:
        yield f"planned are {planned}, accounted for {ended}"
    if seen.told.get(run_id) != [kind.__name__ for kind in kinds]:
        yield "the stream tells something else than the subscriber was told"


def _audit_summary(seen: Seen, summary: RunSummary) -> Iterator[str]:
    planned = [work.name for work in seen.shape.plans[summary.task_id]]
    reports = {str(report.subtask_id): report for report in summary.subtasks}
    if list(reports) != planned:
        yield f"subtasks are {list(reports)}, planned {planned}"
    words = [report.counted.value for report in summary.subtasks]
    expected = max(words, key=RANKED.index, default="skipped")
    if summary.outcome is None or summary.outcome.value != expected:
        yield f"the verdict of {words} is {summary.outcome}"
    started = [name for name in planned if name in reports and reports[name].started]
    if summary.group is not None:
        tables: tuple[list[str], ...] = (
            [entry.subtask_id for entry in summary.group.entries],
            [build.subtask_id for build in summary.builds or ()],
            [test.subtask_id for test in summary.tests or ()],
        )
        if any(table != started for table in tables) or (summary.group.size, summary.group.processed) != (len(planned), len(started)):
            yield f"started were {started} of {len(planned)}, the summary says {tables} {summary.group.size} {summary.group.processed}"
    deciding = [name for name in started if reports[name].counted.value == expected]
    if expected != "succeeded" and deciding and summary.build.subtask_id != deciding[0]:
        yield f"the verdict is decided by {deciding[0]}, at the top stands {summary.build.subtask_id}"
    for entry in seen.recorded(summary.run_id):
        if entry["status"] != run_status(summary.outcome or Outcome.ERROR).value:
            yield f"the verdict is {expected}, on record is {entry['status']}"
    if seen.shape.foreseen:
        foreseen = foresee(seen.shape.plans[summary.task_id])
        if (found := {name: report.outcome.value for name, report in reports.items()}) != foreseen:
            yield f"subtasks ended {found}, which should be {foreseen}"


def foresee(works: Sequence[Work]) -> dict[str, str]:
    """How each subtask must end if nobody interferes and failures stop nobody but those that need them."""
    words: dict[str, str] = {}
    satisfied: set[str] = set()
    for work in works:
        if not satisfied.issuperset(work.needs):
            words[work.name] = "skipped"
            continue
        words[work.name] = _foresee_attempts(work)
        if words[work.name] == "succeeded" or work.waived or words[work.name] == "rejected" or _reviewer_crashed(work):
            satisfied.add(work.name)
    return words


_WORDS = {"no build": "failed", "no test": "failed", "raises": "failed", "rejected": "rejected", "reviewer raises": "crashed"}


def _foresee_attempts(work: Work) -> str:
    word = ""
    for way in work.attempts:
        word = "timed_out" if way == "hangs" or work.limit == 0 else _WORDS.get(way, "succeeded")
        if word not in ("failed", "timed_out", "crashed"):
            break
    return word


def _reviewer_crashed(work: Work) -> bool:
    return work.limit != 0 and work.attempts[-1] == "reviewer raises" and _foresee_attempts(work) == "crashed"


def facts_of(summary: RunSummary) -> str:
    """The summary without its run's name and times: the same for the same facts."""
    shown = evolve(summary, run_id=RunId("run"), timestamp=Timestamp("then"), scheduler=None)
    words = [(r.subtask_id, r.outcome, r.waived, r.skip_reason, [a.outcome for a in r.attempts]) for r in summary.subtasks]
    text = json.dumps([to_json(shown), repr(words), repr(summary.outcome)], default=str)
    return text.replace(summary.run_id, "run")


# Disturbances ------------------------------------------------------------------------------------------------------


def cancel_call(trial: Trial) -> bool:
    """Whether there was anything to cancel."""
    return bool(trial.calls) and trial.calls[0].cancel()


def cancel_manager(trial: Trial) -> bool:
    return trial.main is not None and trial.main.cancel()


def stop(trial: Trial) -> bool:
    trial.manager.stop("enough")
    return any(not call.done() for call in trial.calls)


DISTURBANCES = (cancel_call, cancel_manager, stop)


@define
class Disturber:
    """Does something at some steps; `fired` counts what had an effect."""

    moments: dict[int, Callable[[Trial], bool]]
    fired: int = 0

    def __call__(self, trial: Trial, step: int) -> None:
        if step in self.moments:
            self.fired += self.moments[step](trial)


def some_moments(random: Random, shape: Shape) -> Disturber:
    """One to three, at steps that most trials reach."""
    steps = [random.randrange(10, 120) for _ in range(random.randrange(1, 4))]
    return Disturber({step: random.choice(DISTURBANCES) for step in steps} if shape.disturbed else {})
