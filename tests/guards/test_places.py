"""Where the guards work: in each place the same change, which every guard has to find."""

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator_py.guards.budget import Budget
from orchestrator_py.guards.budget_guard import Measured, guard_budget
from orchestrator_py.guards.docs_guard import guard_docs
from orchestrator_py.guards.finding import Report
from orchestrator_py.guards.spec_guard import guard_specs
from orchestrator_py.guards.surroundings import Surroundings
from orchestrator_py.model.guard_settings import GuardSettings
from tests.guards.repositories import FRESH, NOW, SPEC, Repository, empty_repository, repository

SETTINGS = GuardSettings()
ALL = ["spec-missing src/ä b.py", "doc-link README.md", "diff-lines None"]


def change(repo: Repository) -> Repository:
    """Code and a link that leads nowhere, neither of them committed."""
    return repo.put("src/ä b.py", "1\n2\n").put("README.md", "# A\n\n[a](ö%20ü.md) [b](src/%C3%A4%20b.py)\n")


def guarded(root: Path) -> list[str]:
    """What the three of them find, with a budget of two lines."""
    there = Surroundings(str(root), pipelines=None, tools={})
    reports: list[Report] = [
        guard_specs(str(root), SETTINGS, base=None, now=NOW),
        guard_docs(there, SETTINGS),
        guard_budget(str(root), Budget(files=25, lines=2), SETTINGS.ignored_paths, measured=Measured(), reason=None),
    ]
    return [f"{finding.rule} {finding.file}" for report in reports for finding in report.findings]


def no_git(folder: Path) -> Path:
    folder.mkdir()
    return change(Repository(folder).put(SPEC, FRESH)).path


def no_commits(folder: Path) -> Path:
    return change(empty_repository(folder)).path


def work_tree(folder: Path) -> Path:
    return change(repository(folder)).path


def shallow_clone(folder: Path) -> Path:
    repo = repository(folder.parent / "full").commit(other="x\n")
    repo.git("checkout", "--quiet", "-B", "main")
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.path}", str(folder))
    return change(Repository(folder)).path


def detached_head(folder: Path) -> Path:
    repo = repository(folder)
    repo.git("checkout", "--quiet", "--detach")
    return change(repo).path


def submodule(folder: Path) -> Path:
    inner, outer = repository(folder.parent / "inner"), repository(folder)
    outer.git("submodule", "--quiet", "add", str(inner.path), "part of it")
    return change(Repository(folder / "part of it")).path


def linked_work_tree(folder: Path) -> Path:
    repository(folder.parent / "first").git("worktree", "add", "--quiet", "-b", "more", str(folder))
    return change(Repository(folder)).path


def without_a_remote(folder: Path) -> Path:
    repo = repository(folder)
    repo.git("update-ref", "-d", "refs/remotes/origin/main")
    return change(repo).path


PLACES: dict[str, tuple[Callable[[Path], Path], list[str]]] = {
    "no git": (no_git, ["doc-link README.md"]),
    "no commits yet": (no_commits, ALL),
    "a work tree": (work_tree, ALL),
    "a shallow clone": (shallow_clone, ALL),
    "a detached head": (detached_head, ALL),
    "a submodule": (submodule, ALL),
    "a linked work tree": (linked_work_tree, ALL),
    "no remote": (without_a_remote, ALL),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_guard_works_there(place: str, tmp_path: Path) -> None:
    prepare, expected = PLACES[place]
    assert guarded(prepare(tmp_path / "päth with spaces")) == expected


def test_a_repository_with_its_submodule_is_measured_without_what_is_in_it(tmp_path: Path) -> None:
    """A change inside is the submodule's own; the documents are those of both."""
    submodule(tmp_path / "r")
    outer = Repository(tmp_path / "r")
    outer.commit()
    outer.git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert guarded(outer.path) == []
