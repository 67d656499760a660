"""The simulation keeps its promises, says the same for the same seed, and finds what is broken on purpose."""

import re
from collections.abc import Callable, Sequence

import pytest
from attrs import evolve

from bench.__main__ import main
from bench.scale.checks import ENTRIES, ONCE, PROMISES, RECOVERIES, ROLLUPS, STAMPS, VERDICT, WORDS
from bench.scale.report import lines
from bench.scale.scenario import Scenario
from bench.scale.simulation import Simulation
from orchestrator_py.core import rollup, run_record, run_report
from orchestrator_py.core.aggregation import Aggregation
from orchestrator_py.core.run_record import RunRecord
from orchestrator_py.model.assignment import Assignment, Attempt, AttemptStatus
from orchestrator_py.model.effects import NOTHING, Effects
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.messages import Message, SubtaskEnded
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.timestamp import Timestamp
from tests.harness import Account, Row

FAULTY = Scenario(
    workers=60,
    subtasks=1_200,
    runs=12,
    in_flight=6,
    seconds=5.0,
    failing=0.02,
    rejecting=0.02,
    twice=0.05,
    attempts=2,
    life=100.0,
    notice=2.0,
    restart=3.0,
    capacity=8,
    sync_ms=50.0,
    stall=0.2,
)
"""Everything goes wrong often: workers live as long as twenty attempts take, and the disk stalls at every fifth sync."""


def simulated(scenario: Scenario) -> Simulation:
    simulation = Simulation(scenario)
    simulation.run()
    return simulation


def virtual(simulation: Simulation) -> list[str]:
    """What it says up to what was measured."""
    told = list(lines(simulation))
    return told[: next(place for place, line in enumerate(told) if line.startswith("MEASURED"))]


def test_no_promise_is_broken_however_many_workers_die_and_however_slow_the_disk_is(account: Account) -> None:
    faults = violations = 0
    for seed in range(5):
        simulation = simulated(evolve(FAULTY, seed=seed))
        lost, writer = simulation.engine.lost, simulation.writer
        fired = (
            simulation.requeued,
            simulation.escalated,
            simulation.checks.recovered,
            writer.disk.stalls,
            writer.mailbox.waits,
            simulation.flaky,
            simulation.outcomes[Outcome.SKIPPED],
        )
        assert all(fired), f"seed {seed}: a fault that never fires tries nothing: {fired}"
        faults += lost.deaths + writer.disk.stalls
        violations += sum(simulation.checks.violations.values())
        assert all(simulation.checks.checked[promise] for promise in PROMISES)
    account(Row("simulation: workers die, the disk stalls", tried=5 * FAULTY.subtasks, fired=faults, violations=violations))
    assert violations == 0


def test_the_same_seed_says_the_same_and_another_something_else() -> None:
    first, again, other = (virtual(simulated(evolve(FAULTY, seed=seed))) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_senders_wait_and_none_is_forgotten_when_the_writer_cannot_keep_up() -> None:
    simulation = simulated(evolve(FAULTY, runs=1, in_flight=1, message_us=200_000.0))
    box = simulation.writer.mailbox
    assert max(span.most_mail for _, span in simulation.writer.track.spans()) == FAULTY.capacity
    assert box.waits > box.told / 2
    assert simulation.writer.handled.total() == box.told
    assert not box.mail
    assert not box.senders
    assert not simulation.checks.violations


def test_nothing_is_lost_to_workers_that_live_for_ever_and_a_mailbox_with_room() -> None:
    simulation = simulated(Scenario(workers=20, subtasks=200, life=1e12, seconds=1.0))
    lost = simulation.engine.lost
    assert (lost.deaths, lost.work, lost.unnoticed, lost.absent, simulation.writer.mailbox.waited) == (0, 0, 0, 0, 0)


def test_the_program_prints_model_measure_and_promises_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scale", "--workers", "20", "--subtasks", "300", "--runs", "3"]) == 0
    told = capsys.readouterr().out
    assert told.index("VIRTUAL") < told.index("MEASURED") < told.index("PROMISES")
    for word in ("messages a second", "senders waiting", "lost to faults", "KiB a subtask", "violations"):
        assert word in told
    assert main(["scale", "--in-flight", "2"]) == 1
    assert main(["scale", "--seconds", "nan"]) == 1
    assert capsys.readouterr().err.count("\n") == 2


# What is broken on purpose -----------------------------------------------------------------------------------------


def plant(monkeypatch: pytest.MonkeyPatch, place: object, name: str, bug: Callable[..., object]) -> None:
    """The bug is given what it takes the place of, then the arguments."""
    original = getattr(place, name)
    monkeypatch.setattr(place, name, lambda *given, **named: bug(original, *given, **named))


def lose_an_end(handle: Callable[[Aggregation, Message], Effects], mind: Aggregation, message: Message) -> Effects:
    lost = isinstance(message, SubtaskEnded) and message.report.subtask_id == "s7"
    return NOTHING if lost else handle(mind, message)


def tell_twice(end: Callable[..., bool], record: RunRecord, *given: object) -> bool:
    end(record, *given)
    return True


def mildest(_: object, words: Sequence[Outcome]) -> Outcome:
    return min(words, key=list(Outcome).index)


def end_at_start(start: Callable[..., Assignment], assignment: Assignment, at: Timestamp) -> Assignment:
    started = start(assignment, at)
    early = evolve(started.attempts[-1], status=AttemptStatus.COMPLETED, completed_at=at)
    ended: tuple[Attempt, ...] = (*started.attempts[:-1], early)
    return evolve(started, attempts=ended)


def forget_a_loss(_: object, assignment: Assignment, *__: object) -> Assignment:
    return assignment


def count_thrice(add: Callable[..., object], totals: rollup.Rollup, line: bytes) -> None:
    for _ in range(3 if totals.runs.runs == 1 else 1):
        add(totals, line)


def hide_failures(entry: Callable[..., EntryLine], record: RunRecord, *given: object) -> EntryLine:
    true = entry(record, *given)
    return evolve(true, line=re.sub(rb'"commands_failed":\d+', b'"commands_failed":0', true.line))


@pytest.mark.parametrize(
    ("place", "name", "bug", "found"),
    [
        (Aggregation, "handle", lose_an_end, {ONCE, WORDS}),
        (RunRecord, "end_subtask", tell_twice, {ONCE}),
        (run_report, "verdict", mildest, {VERDICT}),
        (run_record, "start_instance", end_at_start, {STAMPS}),
        (run_record, "requeue_instance", forget_a_loss, {RECOVERIES}),
        (run_record, "note_loss", forget_a_loss, {RECOVERIES}),
        (rollup.Rollup, "add_line", count_thrice, {ROLLUPS}),
        (RunRecord, "entry", hide_failures, {ENTRIES}),
    ],
    ids=[
        "an end is lost",
        "an end is told twice",
        "the mildest word wins",
        "an end at the start",
        "a requeue is forgotten",
        "an escalation is forgotten",
        "a run counts thrice",
        "failures are hidden",
    ],
)
def test_what_is_broken_on_purpose_is_found(
    place: object, name: str, bug: Callable[..., object], found: set[str], monkeypatch: pytest.MonkeyPatch, account: Account
) -> None:
    plant(monkeypatch, place, name, bug)
    violations = simulated(FAULTY).checks.violations
    missed = found - violations.keys()
    account(Row("simulation: planted bugs", tried=1, fired=1, violations=len(missed)))
    assert not missed, violations
