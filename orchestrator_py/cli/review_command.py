"""`review`: the evidence goes into the run's folder and to the reviewer; its word is the result, and without one there is none."""

import os
from argparse import Namespace
from pathlib import Path

from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.cli.console import print_json, print_lines, print_text, say, write_commands
from orchestrator_py.cli.ending import die_by
from orchestrator_py.cli.exit_codes import NOTHING_RAN, code_of_word
from orchestrator_py.cli.guard_approvals import leave_approvals
from orchestrator_py.cli.guard_command import FOUND
from orchestrator_py.cli.guard_place import find_root, named_base, on_github, read_budget, read_settings
from orchestrator_py.cli.guard_text import annotations, findings_data, lines
from orchestrator_py.cli.review_evidence import collect
from orchestrator_py.cli.review_place import find_run
from orchestrator_py.cli.review_record import ReviewRecord
from orchestrator_py.cli.review_text import Reviewed, review_commands, review_data, review_lines
from orchestrator_py.errors import InputError
from orchestrator_py.guards.budget import OVERRIDE
from orchestrator_py.guards.budget_guard import Measured, Measurement, hold_against, measure
from orchestrator_py.guards.decision import Decision, Judgement, judge
from orchestrator_py.guards.finding import Report
from orchestrator_py.guards.hand_off import hand_off
from orchestrator_py.lean import define, evolve
from orchestrator_py.model.guard_settings import GuardSettings

TYPE_CHECKING = False  # type checkers read the name; without a reviewer no event loop is needed
if TYPE_CHECKING:
    from orchestrator_py.cli.reviewer import Reviewing

NOBODY = "nobody has reviewed this"
_YES = ("1", "true", "yes")
_WORDS = {Decision.APPROVED: "succeeded", Decision.REJECTED: "rejected", Decision.CRASHED: "crashed"}


def review(arguments: Namespace) -> int:
    """The code of the reviewer's word: 0 for approved alone."""
    seconds = _seconds(arguments.timeout)
    root = find_root(arguments)
    configuration = read_settings(arguments, root)
    settings = configuration.guardrails if configuration else GuardSettings()
    run = find_run(arguments, root)
    measurement = measure(root, settings.ignored_paths, _measured(arguments))
    report = _budget(settings, measurement)
    record = ReviewRecord(run, root, arguments.dry_run)
    begun = record.begin(measurement.comparison if measurement else None, settings.review_command)
    text = hand_off(collect(run, root, begun.manifest, measurement, report, title=arguments.title, notes=os.environ.get("NOTES")))
    return _Review(arguments, root, record, report, text, begun).hold(seconds)


def _measured(arguments: Namespace) -> Measured:
    scoped = arguments.uncommitted or arguments.commit is not None
    base = None if scoped else named_base(arguments, "DIFF_BUDGET_BASE", "BASE_SHA")
    return Measured(base=base, commit=arguments.commit, uncommitted=arguments.uncommitted)


def _budget(settings: GuardSettings, measurement: Measurement | None) -> Report | None:
    if any(os.environ.get(name, "").strip().lower() in _YES for name in ("DIFF_BUDGET_STAGE", "SKIP_DIFF_BUDGET")):
        return None
    return hold_against(read_budget(settings), measurement, reason=os.environ.get(OVERRIDE))


def _seconds(said: str | None) -> float | None:
    if said is None:
        return None
    try:
        seconds = float(said)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise InputError(f"--timeout is {said!r}; write a number of seconds up to 86400.")
    return seconds


@define(eq=False)
class _Review:
    """One review with its evidence complete, up to its answer. Each end is on record before it is told."""

    arguments: Namespace
    root: str
    record: ReviewRecord
    report: Report | None
    text: str
    begun: Reviewed

    def hold(self, seconds: float | None) -> int:
        """The exit code."""
        if self.record.dry:
            return self._hand_over(f"{NOBODY}: --dry-run asks no reviewer")
        leave_approvals(self._reports)
        self.record.put_evidence(self.text)
        if self.report is not None and self.report.findings and not self.report.waived:
            refused = Judgement(decision=Decision.NOT_REVIEWED, detail=f"{NOBODY}: the change is over its budget")
            return self._tell(self._end(refused), FOUND)
        if self.begun.command is None:
            return self._hand_over(f"{NOBODY}: no reviewer is configured (guardrails.review.command)")
        self.record.put_result(self.begun)  # an approval of another time is none of this one
        return self._ask(self.begun.command, seconds)

    def _ask(self, command: str, seconds: float | None) -> int:
        from orchestrator_py.cli.line_printer import LinePrinter
        from orchestrator_py.cli.reviewer import ask_reviewer, reviewer_environment
        from orchestrator_py.model.command import CommandSpec

        env = reviewer_environment(self.root, self.record.run, self.record.evidence)
        spec = CommandSpec(command=command, cwd=Path(self.root), env=env, stdin_text=self.text.encode(errors="backslashreplace"))
        say(f"the reviewer reads {self.begun.review}: {command}")
        with LinePrinter() as printer:
            reviewing = ask_reviewer(spec, seconds, printer)
            told = self._end(_judgement(reviewing, seconds), reviewing)
        number = reviewing.cut_short_by
        code = self._tell(told, code_of_word(_WORDS[told.judgement.decision]) if number is None else 128 + number)
        if number is not None:
            die_by(number)
        return code

    def _hand_over(self, why: str) -> int:
        """What a reviewer would get, for whoever reads it."""
        told = self._end(Judgement(decision=Decision.NOT_REVIEWED, detail=why))
        say(f"{why}; what stands on stdout is for a reviewer, and is no review")
        self._tell_beside(told)
        if self.arguments.format == "json":
            return print_json(self._data(told) | {"hand_off": self.text}, NOTHING_RAN)
        return print_text(self.text, NOTHING_RAN)

    def _end(self, judgement: Judgement, reviewing: "Reviewing | None" = None) -> Reviewed:
        execution = reviewing.execution if reviewing else None
        told = evolve(self.begun, judgement=judgement, execution=execution, completed_at=SystemClock().now())
        self.record.put_result(told)
        return told

    # Telling -------------------------------------------------------------------------------------------------------

    @property
    def _reports(self) -> list[Report]:
        return [self.report] if self.report else []

    def _data(self, told: Reviewed) -> dict[str, object]:
        return review_data(told) | findings_data(self._reports)

    def _tell(self, told: Reviewed, code: int) -> int:
        self._tell_beside(told)
        if self.arguments.format == "json":
            return print_json(self._data(told), code)
        return print_lines([*lines(self._reports), *review_lines(told)], code)

    def _tell_beside(self, told: Reviewed) -> None:
        """Notes and annotations."""
        for note in (note for report in self._reports for note in report.notes):
            say(note)
        if on_github(self.arguments.github):
            workspace = os.environ.get("GITHUB_WORKSPACE") or self.root
            write_commands([*annotations(self._reports, self.root, workspace), *review_commands(told)])


def _judgement(reviewing: "Reviewing", seconds: float | None) -> Judgement:
    number = reviewing.cut_short_by
    if number is not None:
        return Judgement(decision=Decision.CANCELLED, detail=f"the review was stopped by {number.name}")
    if reviewing.execution is None:
        return Judgement(decision=Decision.CRASHED, detail="the reviewer was not started in time")
    return judge(reviewing.execution, stopped_because=f"it took longer than {seconds:g} s" if seconds else None)
