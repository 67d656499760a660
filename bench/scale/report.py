"""A simulation in words: what the model says, what this machine measured, what was checked."""

from collections.abc import Iterator, Sequence

from attrs import asdict, fields

from bench.scale.meter import COLLECTOR, peak
from bench.scale.scenario import Scenario
from bench.scale.simulation import Simulation
from bench.table import aligned, short

_MEGA = 1_000_000


def simulate(scenario: Scenario) -> int:
    """Run it and print it; the exit code is 1 if a promise was broken."""
    simulation = Simulation(scenario)
    simulation.run()
    print("\n".join(lines(simulation)))
    return 1 if simulation.checks.violations else 0


def lines(simulation: Simulation) -> Iterator[str]:
    """In three parts; the first is the same for the same seed."""
    yield from _scenario(simulation.scenario)
    yield from ("", "VIRTUAL: the same for the same seed", "")
    yield from _virtual(simulation)
    yield from ("", "MEASURED: CPU of the package's own code on this machine, memory of this process", "")
    yield from _measured(simulation)
    yield from ("", "PROMISES", "")
    yield from _promises(simulation)


def _scenario(scenario: Scenario) -> Iterator[str]:
    usual = {one.name: one.default for one in fields(Scenario)}
    told = {"workers", "subtasks", "runs", "in_flight", "seed", "seconds"}
    chosen = {name: value for name, value in asdict(scenario).items() if name in told or value != usual[name]}
    yield "scenario: " + ", ".join(f"{name.replace('_', '-')} {value:.10g}" for name, value in chosen.items())


# Virtual -----------------------------------------------------------------------------------------------------------


def _virtual(simulation: Simulation) -> Iterator[str]:
    scenario, seconds = simulation.scenario, simulation.time.seconds
    ideal = simulation.engine.worked / scenario.workers
    yield f"time            {_time(seconds)}; the work alone, spread evenly, takes {_time(ideal)}"
    yield f"subtasks        {scenario.subtasks / seconds:.1f} a second; {_outcomes(simulation)}; flaky {simulation.flaky}"
    yield (
        f"lost attempts   {simulation.requeued} requeued, {simulation.escalated} escalated; "
        f"{simulation.checks.recovered} instances recovered, as the history has it"
    )
    yield f"event loop      busy {_share(simulation.loop.busy, seconds)} of the time; longest job {_time(simulation.loop.longest)}"
    yield from _writer(simulation)
    yield from _lost(simulation)
    yield f"digest          {simulation.digest()}"
    yield from ("", "mailbox:", "")
    yield from _mailbox(simulation)


def _outcomes(simulation: Simulation) -> str:
    return ", ".join(f"{outcome.value} {count}" for outcome, count in simulation.outcomes.items() if count)


def _writer(simulation: Simulation) -> Iterator[str]:
    writer, disk, box = simulation.writer, simulation.writer.disk, simulation.writer.mailbox
    handled = writer.handled.total()
    yield (
        f"writer          {handled} messages in {writer.batches} batches, {handled / simulation.time.seconds:.1f} a second; "
        f"modelled CPU {_time(writer.cpu)}, disk {_time(disk.busy)}: it ends at {handled / (writer.cpu + disk.busy):.0f} messages a second"
    )
    yield (
        f"disk            {disk.syncs} syncs ({disk.stalls} stalls) for {writer.commits} commits of {len(writer.history.lines)} runs and "
        f"publications; {disk.written / _MEGA:.1f} MB, the longest entry {max(map(len, writer.history.lines)) / 1000:.1f} KB; "
        f"slowest wait {_time(disk.slowest)}"
    )
    waited = f"{_time(box.waited)} in all, {_time(box.longest_wait)} at most"
    yield f"full mailbox    {box.waits} of {box.told} messages waited for room, {waited}"


def _lost(simulation: Simulation) -> Iterator[str]:
    lost, box, scenario = simulation.engine.lost, simulation.writer.mailbox, simulation.scenario
    there = scenario.workers * simulation.time.seconds
    yield f"lost to faults  in worker-seconds, of {there:.0f} that there were:"
    for name, seconds in (
        (f"work of {lost.attempts} attempts that died, done again", lost.work),
        ("until deaths were noticed", lost.unnoticed),
        (f"{lost.deaths} workers that were dead until replaced", lost.absent),
        ("attempts that waited for a worker", lost.queued),
        ("waiting for a turn on the event loop", simulation.loop.waited),
        ("waiting for room in the mailbox", box.waited),
    ):
        yield f"                {seconds:14.0f}  {_share(seconds, there):>8}  {name}"


def _mailbox(simulation: Simulation) -> Iterator[str]:
    rows = [["from", "looks", "mail found, mean", "most", "senders waiting, most"]]
    for at, span in simulation.writer.track.spans():
        mean = span.mail / span.looks if span.looks else 0.0
        rows.append([_time(at), str(span.looks), short(mean), str(span.most_mail), str(span.most_senders)])
    yield from aligned(rows)


# Measured ----------------------------------------------------------------------------------------------------------


def _measured(simulation: Simulation) -> Iterator[str]:
    meter, scenario = simulation.meter, simulation.scenario
    rows = [["", "calls", "µs a call", "longest ms", "s in all"]]
    for name, cost in sorted(meter.costs.items()):
        each = meter.microseconds(name)
        rows.append([name, str(cost.calls), short(each), short(cost.longest / _MEGA), short(each * cost.calls / _MEGA)])
    yield from aligned(rows)
    yield ""
    handled, disk = simulation.writer.handled.total(), simulation.writer.disk.busy
    cpu, everything = meter.seconds(_of_writer(simulation)), meter.seconds()
    collecting = meter.seconds(iter((COLLECTOR,))) if COLLECTOR in meter.costs else 0.0
    yield f"single writer   {handled / cpu:.0f} messages a second of CPU; with the modelled disk {handled / (cpu + disk):.0f}"
    each, of_collector = everything / scenario.subtasks * _MEGA, collecting / scenario.subtasks * _MEGA
    yield f"all of the code {each:.1f} µs of CPU a subtask, {of_collector:.1f} of them the garbage collector's; the event loop comes on top"
    sizes = ", ".join(f"{when} {size / _MEGA:.0f} MB" for when, size in meter.memory.items())
    yield f"memory          {sizes}, at the peak {peak() / _MEGA:.0f} MB"
    more = (peak() - meter.memory["at the start"]) / scenario.subtasks / 1024
    yield f"                {more:.2f} KiB a subtask at the peak, what simulates included"
    yield f"simulated in    {_time(simulation.wall)}"


def _of_writer(simulation: Simulation) -> Iterator[str]:
    return (name for name in simulation.meter.costs if name.startswith(("writer:", "rollup:")))


# Promises ----------------------------------------------------------------------------------------------------------


def _promises(simulation: Simulation) -> Iterator[str]:
    checks = simulation.checks
    rows: list[Sequence[str]] = [["", "checked", "violations"]]
    rows += [[promise, str(count), str(checks.violations.get(promise, 0))] for promise, count in checks.checked.items()]
    yield from aligned(rows)
    yield from (f"violated: {promise}: {example}" for promise, example in checks.examples.items())


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "0 %"


def _time(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.1f} s" if seconds < 3600 else f"{seconds / 3600:.2f} h"
