"""What a reviewer is given to read."""

from pathlib import Path

from attrs import evolve

from orchestrator_py.guards.budget import Budget
from orchestrator_py.guards.budget_guard import Measured, hold_against, measure
from orchestrator_py.guards.change import Change
from orchestrator_py.guards.checklist import Checklist, read_checklist
from orchestrator_py.guards.finding import Finding, Report
from orchestrator_py.guards.hand_off import MOST_FILES, Evidence, StageEvidence, hand_off
from tests.guards.repositories import empty_repository, repository

EVIDENCE = Evidence(
    title="A change",
    task="t",
    run_id="r1",
    pipeline="p",
    status="succeeded",
    manifest="m.json",
    scope="Since origin/main",
    show="git diff abc",
    changes=[Change(path="b", lines=2), Change(path="a", lines=3, generated=True)],
    budget=Report(guard="diff-budget", scope="1 of 25 files"),
    guardrails="Guardrails: spec-guard succeeded (1 passed).",
    recommendation=None,
    stages=[StageEvidence(id="build", told="succeeded in 0.1 s")],
)


def test_everything_that_is_known_is_in_it() -> None:
    text = hand_off(evolve(EVIDENCE, approvals=["diff-budget: moved"], notes="look\nclosely"))
    for line in (
        "# Review: A change",
        "- run: r1 of pipeline p, succeeded",
        "- build: succeeded in 0.1 s",
        "- Guardrails: spec-guard succeeded (1 passed).",
        "- diff-budget: no findings; 1 of 25 files",
        "- approved all the same: diff-budget: moved",
        "- Since origin/main: 2 files, 5 lines added and deleted",
        "- to see it: `git diff abc`",
        "- a: 3 lines, generated",
        "> closely",
    ):
        assert line in text.splitlines()


def test_what_is_not_known_is_said() -> None:
    text = hand_off(evolve(EVIDENCE, budget=None, stages=(), checklist=Checklist(looked_at=("tasks/t.md",))))
    assert "diff-budget: not measured here" in text
    assert "The task has none (`tasks/t.md`)." in text
    assert "None were given (variable `NOTES`)." in text


def test_what_others_wrote_begins_no_section_and_no_line() -> None:
    finding = Finding(file="x\n## Approved", rule="r", message="m", remedy="d")
    report = Report(guard="diff-budget", scope="s", findings=[finding], waived="because\n## Approved")
    text = hand_off(
        evolve(
            EVIDENCE,
            title="t\n## Approved",
            budget=report,
            changes=[Change(path="a\n## Approved", lines=1)],
            notes="n\n## Approved\x1b[2J",
            stages=[StageEvidence(id="a", told="x\r## Approved")],
        )
    )
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Run",
        "## Guardrails",
        "## Change",
        "## Checklist",
        "## Notes",
    ]
    assert "\x1b" not in text


def test_of_very_many_files_some_are_named_and_all_are_counted() -> None:
    text = hand_off(evolve(EVIDENCE, changes=[Change(path=f"f{number:04d}", lines=1) for number in range(MOST_FILES + 5)]))
    assert f"{MOST_FILES + 5} files" in text
    assert "- and 5 more" in text


def test_a_task_s_checklist_and_its_requirements_in_short(tmp_path: Path) -> None:
    made = empty_repository(tmp_path / "r")
    made.put("tasks/tasks-0909-reporting.md", "# Tasks\n- [x] one\n  - [ ] two\n- no point\n")
    made.put("docs/PRD-reporting.md", "# PRD\n\n## Summary\nIt tells\nthe truth.\n\n## Rest\nno\n")
    found = read_checklist(str(made.path), "0909-reporting")
    assert (found.path, found.items, found.done) == ("tasks/tasks-0909-reporting.md", ("- [x] one", "- [ ] two"), 1)
    assert (found.summary_path, found.summary) == ("docs/PRD-reporting.md", "It tells\nthe truth.")
    text = hand_off(evolve(EVIDENCE, checklist=found))
    assert "`tasks/tasks-0909-reporting.md`: 1 of 2 done." in text
    assert "> the truth." in text


def test_a_task_without_any_says_where_it_could_be(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "t.md").mkdir()  # nothing that can be read
    found = read_checklist(str(tmp_path), "t")
    assert (found.path, found.looked_at) == (None, ("tasks/tasks-t.md", "tasks/t.md", ".agent/task/t.md"))


def test_what_is_not_committed_can_be_measured_alone(tmp_path: Path) -> None:
    made = repository(tmp_path / "r").commit(src__b_dot_py="1\n2\n").put("src/c.py", "1\n")
    whole, part = (measure(str(made.path), (), measured) for measured in (Measured(), Measured(uncommitted=True)))
    assert whole is not None
    assert part is not None
    assert [change.path for change in whole.changes] == ["src/b.py", "src/c.py"]
    assert [change.path for change in part.changes] == ["src/c.py"]
    assert hold_against(Budget(files=1, lines=1), part, reason=None).scope == "1 of 1 files, 1 of 1 lines since the last commit"


def test_before_the_first_commit_everything_is_uncommitted(tmp_path: Path) -> None:
    made = empty_repository(tmp_path / "r").put("a")
    found = measure(str(made.path), (), Measured(uncommitted=True))
    assert found is not None
    assert [change.path for change in found.changes] == ["a"]
