"""The guard of the size of a change: a table of situations, each a repository, and the size that is found."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator_py.errors import InputError
from orchestrator_py.guards.budget import Budget, weigh
from orchestrator_py.guards.budget_guard import Measured, guard_budget
from orchestrator_py.guards.change import Change
from orchestrator_py.guards.finding import Report
from orchestrator_py.model.guard_settings import GuardSettings
from tests.guards.repositories import Repository, empty_repository, repository

Prepare = Callable[[Repository], object]
IGNORED = GuardSettings().ignored_paths
TEN = "line\n" * 10


def guarded(
    root: Path, files: int = 25, lines: int = 800, *, measured: Measured | None = None, reason: str | None = None, ignored: str = ""
) -> Report:
    budget = Budget(files=files, lines=lines)
    places = ignored.split() or IGNORED
    return guard_budget(str(root), budget, places, measured=measured or Measured(), reason=reason)


def size(report: Report) -> tuple[int, int]:
    """Files and lines that were counted."""
    found = re.match(r"(\d+) of \d+ files, (\d+) of \d+ lines since ", report.scope)
    assert found, report.scope
    return int(found[1]), int(found[2])


def renamed(repo: Repository) -> None:
    (repo.path / "lib").mkdir()
    repo.git("mv", "src/a.py", "lib/a.py")


def renamed_and_changed(repo: Repository) -> None:
    renamed(repo)
    repo.put("lib/a.py", f"{TEN}more\n")


def moved_without_telling_git(repo: Repository) -> None:
    repo.remove("src/a.py")
    repo.put("lib/a.py", TEN)


def staged_then_changed_again(repo: Repository) -> None:
    repo.put("src/a.py", f"{TEN}1\n2\n3\n")
    repo.git("add", "--all")
    repo.put("src/a.py", f"{TEN}1\n")


def linked(repo: Repository) -> None:
    (repo.path / "link").symlink_to("nowhere")


def repository_inside(repo: Repository) -> None:
    empty_repository(repo.path / "inner").put("a", TEN)


def no_longer_tracked(repo: Repository) -> None:
    repo.git("rm", "--cached", "--quiet", "src/a.py")


def attributes(line: str) -> Prepare:
    return lambda repo: repo.put(".gitattributes", f"{line}\n").put("made.txt", TEN).put("src/a.py", "changed\n")


def committed(prepare: Prepare) -> Prepare:
    return lambda repo: (prepare(repo), repo.commit())


SITUATIONS: dict[str, tuple[Prepare, tuple[int, int]]] = {
    "nothing": (lambda _: None, (0, 0)),
    "a commit": (lambda repo: repo.commit(src__a_dot_py=f"{TEN}more\n"), (1, 1)),
    "two commits on one file": (lambda repo: repo.commit(a="1\n").commit(a="1\n2\n"), (1, 2)),
    "a commit that the next one takes back": (lambda repo: repo.commit(a="1\n2\n").commit(src__b="x\n", a="1\n"), (2, 2)),
    "changed and not staged": (lambda repo: repo.put("src/a.py", f"changed\n{TEN}"), (1, 1)),
    "each line replaced counts twice": (lambda repo: repo.put("src/a.py", "other\n" * 10), (1, 20)),
    "deleted": (lambda repo: repo.remove("src/a.py"), (1, 10)),
    "staged": (lambda repo: repo.put("b", TEN).git("add", "b"), (1, 10)),
    "staged, then changed again": (staged_then_changed_again, (1, 3)),
    "untracked: as many lines as there are": (lambda repo: repo.put("b", "1\n2\n3\n"), (1, 3)),
    "untracked: the last line without its end": (lambda repo: repo.put("b", "1\n2\n3"), (1, 3)),
    "untracked: one line of nothing": (lambda repo: repo.put("b", "\n"), (1, 1)),
    "untracked and empty": (lambda repo: repo.put("b", ""), (1, 0)),
    "untracked and binary": (lambda repo: repo.put("b", b"\0\n\n\n"), (1, 0)),
    "binary": (lambda repo: repo.put("b", b"\0\n\n\n").commit(), (1, 0)),
    "untracked, in a folder that is untracked": (lambda repo: repo.put("b/c/d", "1\n").put("b/c/e", "2\n"), (2, 2)),
    "ignored by git": (lambda repo: repo.put(".gitignore", "*.log\n").put("a.log", TEN), (1, 1)),
    "ignored by the contract": (lambda repo: repo.put("package-lock.json", TEN).put("dist/a", TEN).put("out/b/c", TEN), (0, 0)),
    "ignored by the contract, and committed": (lambda repo: repo.commit(dist__a=TEN, node_modules__b=TEN), (0, 0)),
    "only called like what is ignored": (lambda repo: repo.put("distance", "1\n").put("a/dist/b", "1\n"), (2, 2)),
    "renamed": (renamed, (1, 0)),
    "renamed and changed": (renamed_and_changed, (1, 1)),
    "renamed in a commit": (committed(renamed), (1, 0)),
    "moved without telling git": (moved_without_telling_git, (2, 20)),
    "in conflict, with the marks that are in it": (lambda repo: repo.leave_in_conflict(), (1, 15)),
    "announced and not added": (lambda repo: repo.put("b", "1\n2\n").git("add", "--intent-to-add", "b"), (1, 2)),
    "a link": (linked, (1, 1)),
    "another repository inside": (repository_inside, (1, 0)),
    "no longer tracked": (no_longer_tracked, (1, 10)),
    "generated and untracked": (attributes("made.txt linguist-generated"), (2, 12)),
    "generated, said in another way": (attributes("made.txt linguist-generated=true"), (2, 12)),
    "not generated": (attributes("made.txt -linguist-generated"), (3, 22)),
    "generated and committed": (committed(attributes("*.txt linguist-generated")), (2, 12)),
    "without a diff and untracked": (attributes("*.txt -diff"), (3, 12)),
    "without a diff and committed": (committed(attributes("*.txt binary")), (3, 12)),
    "names with everything in them": (lambda repo: repo.put("ä\tb\nc", "1\n").put('-q "x"', "1\n").commit().put("-- ü", "1\n"), (3, 3)),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_is_counted_in_each_situation(situation: str, tmp_path: Path) -> None:
    prepare, expected = SITUATIONS[situation]
    repo = repository(tmp_path / "päth with spaces")
    prepare(repo)
    assert size(guarded(repo.path)) == expected


# What is too much --------------------------------------------------------------------------------------------------


def test_as_much_as_is_allowed_is_allowed_and_one_more_is_not(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    repo.put("a", "1\n2\n").put("b", "1\n")
    assert guarded(repo.path, 2, 3).findings == []
    files, lines = guarded(repo.path, 1, 2).findings
    assert (files.rule, files.message) == ("diff-files", "2 files have changed, 1 are allowed: a, b")
    assert (lines.rule, lines.message) == ("diff-lines", "3 lines have changed, 2 are allowed: a (2), b (1)")
    assert "DIFF_BUDGET_OVERRIDE_REASON" in files.remedy


def test_an_untracked_file_that_is_too_large_to_be_meant_is_named(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    repo.put("large", b"x" * (1024 * 1024 + 1)).put("just", b"x" * 1024 * 1024)
    (finding,) = guarded(repo.path).findings
    assert (finding.rule, finding.file) == ("diff-untracked", "large")


def test_what_could_not_be_counted_is_named_and_what_is_generated_is_not() -> None:
    changes = [Change(path="a", problem="cannot be read"), Change(path="b", lines=9, generated=True)]
    size, (finding,) = weigh(changes, Budget(files=1, lines=1))
    assert size == "1 of 1 files, 0 of 1 lines"
    assert (finding.rule, finding.file, finding.message) == ("diff-untracked", "a", "cannot be read")


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_an_untracked_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r").put("secret")
    (repo.path / "secret").chmod(0)
    assert [(finding.rule, finding.file) for finding in guarded(repo.path).findings] == [("diff-untracked", "secret")]


def test_a_reason_waives_what_is_found_and_is_told(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r").put("a", TEN)
    report = guarded(repo.path, lines=5, reason=" moved\nfrom elsewhere ")
    assert report.waived == "moved from elsewhere"
    assert [finding.rule for finding in report.findings] == ["diff-lines"]
    assert "moved from elsewhere" in report.notes[0]


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_no_reason_waives_nothing(reason: str, tmp_path: Path) -> None:
    repo = repository(tmp_path / "r").put("a", TEN)
    report = guarded(repo.path, lines=5, reason=reason)
    assert report.waived is None
    assert "holds no reason" in report.notes[0]


def test_a_reason_for_what_needs_none_is_not_told(tmp_path: Path) -> None:
    report = guarded(repository(tmp_path / "r").path, reason="just because")
    assert (report.waived, report.notes) == (None, [])


# What it is measured against ---------------------------------------------------------------------------------------


def test_one_commit_alone(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r").commit(a="1\n").commit(b="1\n2\n").put("c", TEN)
    assert size(guarded(repo.path, measured=Measured(commit="HEAD"))) == (1, 2)
    assert size(guarded(repo.path, measured=Measured(commit="HEAD~1"))) == (1, 1)
    first = guarded(repo.path, measured=Measured(commit="main"))
    assert size(first) == (3, 12), "it follows nothing, so all of it counts"


def test_a_merge_counts_as_what_it_brings(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r").commit(a="1\n")
    repo.git("checkout", "--quiet", "main")
    repo.commit(b=TEN).git("merge", "--quiet", "--no-ff", "--message=m", "work")
    assert size(guarded(repo.path, measured=Measured(commit="HEAD"))) == (1, 1)


def test_a_range_leaves_out_the_work_tree(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r").commit(a="1\n").commit(b="1\n2\n").put("c", TEN)
    repo.git("checkout", "--quiet", "main")
    repo.commit(d=TEN)
    assert size(guarded(repo.path, measured=Measured(range="work~1..work"))) == (1, 2)
    assert size(guarded(repo.path, measured=Measured(range="main...work"))) == (2, 3)
    assert size(guarded(repo.path, measured=Measured(range="work.."))) == (4, 23), "c was untracked when d was committed"


@pytest.mark.parametrize(
    "measured",
    [Measured(base="nope"), Measured(commit="nope"), Measured(range="nope..HEAD"), Measured(range="HEAD...nope"), Measured(commit="")],
    ids=repr,
)
def test_what_is_no_commit_is_an_error(measured: Measured, tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    with pytest.raises(InputError, match="names no commit"):
        guarded(repo.path, measured=measured)


def test_what_is_no_range_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a range"):
        guarded(repository(tmp_path / "r").path, measured=Measured(range="HEAD"))


def test_without_git_there_is_nothing_to_measure(tmp_path: Path) -> None:
    assert guarded(tmp_path).notes == ["diff-budget: there is no git work tree here, so nothing has changed"]
    with pytest.raises(InputError, match="no git work tree"):
        guarded(tmp_path, measured=Measured(commit="HEAD"))


def test_before_the_first_commit_everything_counts(tmp_path: Path) -> None:
    repo = empty_repository(tmp_path / "r").put("a", "1\n").put("b", "1\n2\n")
    repo.git("add", "a")
    assert size(guarded(repo.path)) == (2, 3)


def test_a_shallow_clone_cannot_tell_what_its_first_commit_changes(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r").commit(a="1\n")
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    with pytest.raises(InputError, match="shallow"):
        guarded(tmp_path / "shallow", measured=Measured(commit="HEAD"))
    assert size(guarded(tmp_path / "shallow", measured=Measured(base="origin/work"))) == (0, 0)


def test_a_folder_of_the_repository_counts_for_itself(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r").put("a", TEN).put("part/b", "1\n").put("part/dist/c", TEN).commit(part__d="1\n2\n")
    assert size(guarded(repo.path / "part")) == (2, 3)


def test_programs_that_a_repository_names_are_not_started(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r").put(".gitattributes", "*.py diff=own\n").put("src/a.py", f"{TEN}more\n")
    for name in ("diff.external", "diff.own.command", "diff.own.textconv", "core.fsmonitor", "core.pager"):
        repo.git("config", name, "touch started; false")
    assert size(guarded(repo.path)) == (2, 2)
    assert not (repo.path / "started").exists()


def test_paths_that_are_ignored_are_a_setting(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r").put("made/a", TEN).put("dist/a", "1\n")
    assert size(guarded(repo.path, ignored="made src")) == (1, 1)
