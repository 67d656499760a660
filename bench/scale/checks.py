"""What must hold, whatever went wrong on the way: each broken promise is counted by name, with its first example."""

from collections.abc import Iterable

from attrs import define, field

from bench.scale.history import History
from bench.scale.run import SimulatedRun
from bench.scale.words import RANKED, Recoveries, count_up, name_of, place_of
from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.core.differences import differences
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.core.rollup import rollup_of_history
from orchestrator_py.ids import InstanceId
from orchestrator_py.model.assignment import Assignment
from orchestrator_py.model.events import Event, RunCompleted, SubtaskFinished
from orchestrator_py.model.messages import ClosedRun
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.rollups import Baseline, Rollups
from orchestrator_py.model.timestamp import Timestamp

ONCE = "each planned subtask is accounted for exactly once"
STAMPS = "no completed stamp before the end"
VERDICT = "the verdict is the worst word of the set"
WORDS = "each word is the one that happened"
ROLLUPS = "the rollups are the fold of the whole history"
ENTRIES = "each run is in the history exactly once, with its true counts"
RECOVERIES = "each death is told of its instance, which recovers if its work ends well"
PROMISES = (ONCE, STAMPS, VERDICT, WORDS, RECOVERIES, ROLLUPS, ENTRIES)


@define(eq=False)
class Checks:
    """`checked` counts what was looked at; a promise that is not in `violations` held."""

    checked: dict[str, int] = field(factory=lambda: dict.fromkeys(PROMISES, 0), init=False)
    violations: dict[str, int] = field(factory=dict, init=False)
    examples: dict[str, str] = field(factory=dict, init=False)
    recovered: int = field(default=0, init=False)  # instances, as the history has it
    _counts: dict[str, tuple[str, int, int]] = field(factory=dict, init=False)
    _recoveries: dict[str, Recoveries] = field(factory=dict, init=False)

    def expect(self, promise: str, holds: bool, example: str) -> None:
        self.checked[promise] += 1
        if not holds:
            self.violations[promise] = self.violations.get(promise, 0) + 1
            self.examples.setdefault(promise, example)

    # While it runs -------------------------------------------------------------------------------------------------

    def hear(self, run: SimulatedRun, event: Event) -> None:
        """News of a run: a subtask is finished once, and the run after all of them."""
        match event:
            case SubtaskFinished(report=report):
                count_up(run.truth.finished, place_of(report.subtask_id))
            case RunCompleted():
                missing = run.truth.finished.count(0)
                self.expect(ONCE, missing == 0, f"{run.run_id} was told as completed before {missing} of its subtasks")

    def look_at_instances(self, run: SimulatedRun, assignments: Iterable[Assignment]) -> None:
        """Of a run in flight: an instance that still takes work has no end."""
        for one in assignments:
            ended = one.completed_at is not None or one.attempts[-1].completed_at is not None
            early = ended and (one.instance_id not in run.released or not one.status.terminal)
            self.expect(STAMPS, not early, f"{run.run_id}: {one.instance_id} is {one.status.value}, works, and has an end")

    # At the end of a run -------------------------------------------------------------------------------------------

    def look_at_closed(self, run: SimulatedRun, closed: ClosedRun) -> None:
        self._check_accounts(run, closed)
        self._check_words(run, closed)
        self._check_stamps(run, closed)
        self._recoveries[run.run_id] = run.recoveries

    def _check_accounts(self, run: SimulatedRun, closed: ClosedRun) -> None:
        told = [report.subtask_id for report in closed.summary.subtasks]
        self.expect(ONCE, len(told) == run.truth.size, f"{run.run_id}: {len(told)} reports of {run.truth.size} subtasks")
        for place, subtask_id in enumerate(told):
            self.expect(ONCE, subtask_id == name_of(place), f"{run.run_id}: {subtask_id} stands in the place of {name_of(place)}")
        for place, times in enumerate(run.truth.finished):
            self.expect(ONCE, times == 1, f"{run.run_id}: {name_of(place)} was told as finished {times} times")
        for place, times in enumerate(run.truth.taken):
            self.expect(ONCE, times <= 1, f"{run.run_id}: {name_of(place)} was given out {times} times")

    def _check_words(self, run: SimulatedRun, closed: ClosedRun) -> None:
        summary, words = closed.summary, run.truth.words()
        for report, word, attempts in zip(summary.subtasks, words, run.truth.attempts, strict=False):
            self.expect(WORDS, report.outcome is word, f"{run.run_id}: {report.subtask_id} is {report.outcome.value}, and was {word}")
            counted = len(report.attempts)
            self.expect(WORDS, counted == attempts, f"{run.run_id}: {report.subtask_id} has {counted} attempts of {attempts}")
        worst = max({word or Outcome.ERROR for word in words}, key=RANKED.index)
        self.expect(VERDICT, summary.outcome is worst, f"{run.run_id} is {summary.outcome}, its worst subtask {worst}")
        succeeded = sum(word is Outcome.SUCCEEDED for word in words)
        failed = sum(word not in (Outcome.SUCCEEDED, Outcome.SKIPPED) for word in words)
        self._counts[run.run_id] = ("succeeded" if worst is Outcome.SUCCEEDED else "failed", succeeded, failed)

    def _check_stamps(self, run: SimulatedRun, closed: ClosedRun) -> None:
        for report in closed.summary.subtasks:
            begun, done = report.started_at or Timestamp(""), report.completed_at or Timestamp("")
            before = all(attempt.started_at <= attempt.completed_at <= done for attempt in report.attempts)
            self.expect(STAMPS, begun <= done and before, f"{run.run_id}: {report.subtask_id} ended at {done}, before it was done")

    # At the end of everything --------------------------------------------------------------------------------------

    def look_at_history(self, history: History, runs: int) -> None:
        self.expect(ENTRIES, len(history.lines) == runs, f"{len(history.lines)} entries of {runs} runs")
        for line in history.lines:
            entry = parse_json(line)
            data = entry if isinstance(entry, dict) else {}
            found = data.get("status"), data.get("commands_passed"), data.get("commands_failed")
            expected = self._counts.pop(str(data.get("run_id")), None)
            self.expect(ENTRIES, found == expected, f"entry of {data.get('run_id')} says {found}, not {expected}")
            self._check_recoveries(data)
        whole = rollup_of_history(history.lines).documents(baseline=None, updated_at=Timestamp(""))
        told = differences(_documents(history.published, history.baseline), _documents(whole, whole.baseline))
        self.expect(ROLLUPS, not told, "; ".join(told[:3]))

    def _check_recoveries(self, entry: dict[str, object]) -> None:
        stats, truth = entry.get("instance_stats"), self._recoveries.pop(str(entry.get("run_id")), Recoveries())
        for stat in stats if isinstance(stats, list) else ():
            name, found = stat["instance_id"], (stat["status"], stat["attempts"], stat["recovery_events"])
            expected = truth.stat_of(InstanceId(name))
            self.recovered += stat["status"] == "recovered"
            self.expect(RECOVERIES, expected in (None, found), f"entry of {entry.get('run_id')}: {name} is {found}, not {expected}")


def _documents(rollups: Rollups, baseline: Baseline | None) -> dict[str, object]:
    """By kind, without their time; the baseline is written once, so it stands apart."""
    documents = {type(one).__name__: to_json(one) for one in (*rollups, *([] if baseline is None else [baseline]))}
    return {
        name: {key: value for key, value in data.items() if key != "updated_at"} if isinstance(data, dict) else data
        for name, data in documents.items()
    }
