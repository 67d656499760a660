"""The guard of specifications: a table of situations, each a repository, and what is found in it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator_py.errors import InputError
from orchestrator_py.guards.finding import Report
from orchestrator_py.guards.spec_guard import guard_specs
from orchestrator_py.model.guard_settings import GuardSettings
from tests.guards.repositories import FRESH, NOW, SPEC, Repository, empty_repository, repository

Prepare = Callable[[Repository], object]
DEFAULTS = GuardSettings()


def guarded(root: Path, settings: GuardSettings = DEFAULTS, base: str | None = None) -> Report:
    return guard_specs(str(root), settings, base=base, now=NOW)


def rules(report: Report) -> list[tuple[str, str | None, int | None]]:
    return [(finding.rule, finding.file, finding.line) for finding in report.findings]


def review(text: str) -> Prepare:
    return lambda repo: repo.put(SPEC, f"# A\n\n{text}\n")


def staged(repo: Repository) -> None:
    repo.put("src/a.py", "changed\n")
    repo.git("add", "src/a.py")


def staged_and_taken_back(repo: Repository) -> None:
    staged(repo)
    repo.put("src/a.py", "line\n" * 10)


def renamed(repo: Repository) -> None:
    (repo.path / "lib").mkdir()
    repo.git("mv", "src/a.py", "lib/a.py")


def both(repo: Repository) -> None:
    repo.put("src/a.py", "changed\n")
    repo.put(SPEC, f"{FRESH}more\n")


def base_has_moved_on(repo: Repository) -> None:
    """Code that somebody else has changed there is not ours."""
    repo.git("checkout", "--quiet", "main")
    repo.commit(src__b_dot_py="theirs\n")
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    repo.git("checkout", "--quiet", "work")
    repo.put("README.md", "# B\n")


def ignored_by_git(repo: Repository) -> None:
    repo.put(".gitignore", "*.pyc\n")
    repo.put("src/a.pyc")


Found = list[tuple[str, str | None, int | None]]

MISSING: Found = [("spec-missing", "src/a.py", None)]

SITUATIONS: dict[str, tuple[Prepare, Found]] = {
    "nothing has changed": (lambda _: None, []),
    "a commit changes code": (lambda repo: repo.commit(src__a_dot_py="changed\n"), MISSING),
    "code is staged": (staged, MISSING),
    "code is staged, and taken back in the work tree": (staged_and_taken_back, MISSING),
    "code is changed and not staged": (lambda repo: repo.put("src/a.py", "changed\n"), MISSING),
    "code is untracked": (lambda repo: repo.put("src/b.py"), [("spec-missing", "src/b.py", None)]),
    "code is untracked in a new folder": (lambda repo: repo.put("app/b/c.py"), [("spec-missing", "app/b/c.py", None)]),
    "code is in conflict": (lambda repo: repo.leave_in_conflict(), MISSING),
    "code is deleted": (lambda repo: repo.remove("src/a.py"), MISSING),
    "code is moved away": (renamed, MISSING),
    "an ignored file is no code": (ignored_by_git, []),
    "what is no code has changed": (lambda repo: repo.put("README.md", "# B\n"), []),
    "a folder that is only called alike": (lambda repo: repo.put("srcs/a.py"), []),
    "code and specification have changed": (both, []),
    "the specification was committed, the code not yet": (
        lambda repo: repo.commit(tasks__specs__a_dot_md=f"{FRESH}b\n").put("src/b.py"),
        [],
    ),
    "a new specification is enough": (lambda repo: repo.put("src/b.py").put("docs/design/specs/b.md", FRESH), []),
    "the index of tasks is enough": (lambda repo: repo.put("src/b.py").put("tasks/index.json", "{}"), []),
    "what the base has since is not ours": (base_has_moved_on, []),
    "a name with blanks and umlauts": (lambda repo: repo.put("src/ä b\tc.py"), [("spec-missing", "src/ä b\tc.py", None)]),
    "a name that looks like an option": (lambda repo: repo.put("app/--force"), [("spec-missing", "app/--force", None)]),
    "no review": (review("nothing"), [("review-date-missing", SPEC, None)]),
    "a review in a sentence": (review("The last_review: 2025-06-01"), [("review-date-missing", SPEC, None)]),
    "today": (review("last_review: 2025-06-15"), []),
    "the last day that is allowed": (review("last_review: 2025-05-16"), []),
    "a day later": (review("last_review: 2025-05-15"), [("review-date-old", SPEC, 3)]),
    "tomorrow, where it is tomorrow already": (review("last_review: 2025-06-16"), []),
    "the day after": (review("last_review: 2025-06-17"), [("review-date-future", SPEC, 3)]),
    "a month that there is not": (review("last_review: 2025-13-45"), [("review-date-invalid", SPEC, 3)]),
    "a day that this year does not have": (review("last_review: 2025-02-29"), [("review-date-invalid", SPEC, 3)]),
    "a date in other words": (review("last_review: 1 June 2025"), [("review-date-invalid", SPEC, 3)]),
    "no date at all": (review("last_review:"), [("review-date-invalid", SPEC, 3)]),
    "quoted, as YAML may be": (review('last_review: "2025-06-01"  # by a.'), []),
    "lines that end as Windows does": (lambda repo: repo.put(SPEC, "a\r\nlast_review: 2025-06-01\r\n"), []),
    "a specification in a deeper folder": (lambda repo: repo.put("tasks/specs/old/b.md", "none\n"), []),
    "another kind of file there": (lambda repo: repo.put("tasks/specs/b.txt", "none\n"), []),
    "not UTF-8": (lambda repo: repo.put(SPEC, b"\xff\xfe"), [("spec-unreadable", SPEC, None)]),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_is_found_in_each_situation(situation: str, tmp_path: Path) -> None:
    prepare, expected = SITUATIONS[situation]
    repo = repository(tmp_path / "päth with spaces")
    prepare(repo)
    assert rules(guarded(repo.path)) == expected


# What it is compared with ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["nothing-like-it", "0" * 40, "--force", "", "origin/main\n", "HEAD:README.md"])
def test_a_base_that_is_no_commit_is_an_error_and_no_other_base_is_taken(base: str, tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    with pytest.raises(InputError, match="names no commit"):
        guarded(repo.path, base=base)


def test_the_base_that_is_named_counts(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    repo.commit(src__a_dot_py="changed\n")
    assert rules(guarded(repo.path, base="main")) == MISSING
    assert rules(guarded(repo.path, base="HEAD")) == []


def test_with_nothing_new_the_last_commit_is_looked_at_unless_a_base_is_named(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    repo.commit(src__a_dot_py="changed\n")
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert rules(guarded(repo.path)) == MISSING
    assert rules(guarded(repo.path, base="origin/main")) == []


def test_without_origin_main_everything_since_the_first_commit_counts(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    repo.git("update-ref", "-d", "refs/remotes/origin/main")
    assert rules(guarded(repo.path)) == []
    repo.commit(src__a_dot_py="changed\n")
    repo.commit(README_dot_md="later\n")
    assert rules(guarded(repo.path)) == MISSING


def test_histories_that_have_nothing_in_common_cannot_be_compared(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    repo.git("checkout", "--quiet", "--orphan", "other")
    repo.commit(other="x\n")
    with pytest.raises(InputError, match="no commit in common"):
        guarded(repo.path)


# Where it works ----------------------------------------------------------------------------------------------------


def test_without_git_the_dates_are_checked_and_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "tasks" / "specs").mkdir(parents=True)
    (tmp_path / SPEC).write_text("none")
    report = guarded(tmp_path)
    assert rules(report) == [("review-date-missing", SPEC, None)]
    assert "only the dates" in report.notes[0]
    with pytest.raises(InputError, match="no git work tree"):
        guarded(tmp_path, base="main")


def test_before_the_first_commit_everything_is_a_change(tmp_path: Path) -> None:
    repo = empty_repository(tmp_path / "r")
    assert rules(guarded(repo.path)) == []
    repo.put("src/a.py")
    repo.put("src/b.py")
    repo.git("add", "src/a.py")
    assert [finding.message for finding in guarded(repo.path).findings] == [
        "code has changed (src/a.py, src/b.py) and no specification has"
    ]


def test_a_repository_that_is_broken_is_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    with pytest.raises(InputError, match="git: not a git repository: /nowhere"):
        guarded(tmp_path)


def test_inside_the_folder_of_git_there_is_nothing_to_guard(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    assert "no git work tree" in guarded(repo.path / ".git").notes[0]


def test_a_detached_head(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    repo.commit(src__a_dot_py="changed\n")
    repo.git("checkout", "--quiet", "--detach")
    assert rules(guarded(repo.path)) == MISSING


def test_a_shallow_clone_says_what_to_fetch(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    repo.commit(src__a_dot_py="changed\n")
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    shallow = Repository(tmp_path / "shallow")
    shallow.git("remote", "remove", "origin")
    with pytest.raises(InputError, match="fetch-depth: 0"):
        guarded(shallow.path)
    with pytest.raises(InputError, match="fetch-depth: 0"):
        guarded(shallow.path, base="main~1")
    shallow.put("src/b.py")
    assert rules(guarded(shallow.path, base="HEAD")) == [("spec-missing", "src/b.py", None)]


def test_a_work_tree_of_another_repository(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    repo.git("worktree", "add", "--quiet", "-b", "more", str(tmp_path / "more"))
    (tmp_path / "more" / "src" / "a.py").write_text("changed\n")
    assert rules(guarded(tmp_path / "more")) == MISSING
    assert rules(guarded(repo.path)) == []


def test_a_submodule_from_inside_and_from_outside(tmp_path: Path) -> None:
    repo, inner = repository(tmp_path / "r"), repository(tmp_path / "inner")
    repo.git("submodule", "--quiet", "add", str(inner.path), "src/inner")
    assert rules(guarded(repo.path)) == [("spec-missing", "src/inner", None)]
    repo.commit()
    (repo.path / "src" / "inner" / "src" / "a.py").write_text("changed\n")
    assert rules(guarded(repo.path, base="HEAD")) == []
    assert rules(guarded(repo.path / "src" / "inner")) == MISSING


def test_a_folder_of_the_repository_is_a_root_of_its_own(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    repo.put("src/a.py", "changed\n")
    repo.put("part/src/b.py")
    repo.commit(part__app__c_dot_py="x\n")
    assert guarded(repo.path / "part").findings[0].message.startswith("code has changed (app/c.py, src/b.py)")


def test_settings_of_the_user_change_nothing(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    for name in ("status.short=true", "status.showUntrackedFiles=no", "status.relativePaths=true", "diff.noprefix=true", "color.ui=always"):
        repo.git("config", *name.split("="))
    repo.git("config", "core.fsmonitor", "false; touch never")
    repo.put("src/a.py", "changed\n")
    assert rules(guarded(repo.path)) == MISSING
    assert not (repo.path / "never").exists()


def test_variables_of_a_surrounding_git_count_only_if_they_are_about_this_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo, other = repository(tmp_path / "r"), repository(tmp_path / "other")
    other.put("src/a.py", "changed\n")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.path / ".git" / "index"))
    assert rules(guarded(repo.path)) == []
    staged(repo)
    (repo.path / ".git" / "index").rename(repo.path / ".git" / "next-index")
    repo.git("read-tree", "HEAD")
    repo.put("src/a.py", "line\n" * 10)
    assert rules(guarded(repo.path)) == []
    monkeypatch.setenv("GIT_INDEX_FILE", str(repo.path / ".git" / "next-index"))
    assert rules(guarded(repo.path)) == MISSING


def test_what_git_is_told_for_all_repositories_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for whom it trusts, which a container of a continuous integration says in this way."""
    repo = repository(tmp_path / "r").put("src/new.py")
    assert rules(guarded(repo.path)) == [("spec-missing", "src/new.py", None)]
    (tmp_path / "excluded").write_text("new.py\n")
    for name, value in {"COUNT": "1", "KEY_0": "core.excludesFile", "VALUE_0": str(tmp_path / "excluded")}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    assert rules(guarded(repo.path)) == []


def test_line_breaks_in_the_names_of_folders_hide_no_change(tmp_path: Path) -> None:
    repo = repository(tmp_path / "a\nb").put("p\nq/src/a.py").put("src/a.py", "changed\n")
    assert ("spec-missing", "src/a.py", None) in rules(guarded(repo.path))
    assert ("spec-missing", "src/a.py", None) in rules(guarded(repo.path / "p\nq"))


def test_the_index_is_not_written(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    index = (repo.path / ".git" / "index").read_bytes()
    repo.put("src/a.py", "changed\n")
    guarded(repo.path)
    assert (repo.path / ".git" / "index").read_bytes() == index


# What is asked for -------------------------------------------------------------------------------------------------


def test_paths_and_age_are_settings(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    repo.put("lib/a.py")
    repo.put("specs/a.md", "last_review: 2024-06-15\n")
    settings = GuardSettings(code_paths=("lib",), spec_folders=("design",), max_age_days=365)
    assert rules(guarded(repo.path, settings)) == [("spec-missing", "lib/a.py", None)]
    settings = GuardSettings(code_paths=("lib",), spec_folders=("specs",), max_age_days=364)
    assert rules(guarded(repo.path, settings)) == [("review-date-old", "specs/a.md", 1)]
    settings = GuardSettings(code_paths=(".",), spec_folders=("specs/a.md",), max_age_days=365)
    assert rules(guarded(repo.path, settings)) == []


def test_the_answer_depends_on_the_day_it_is_given_for(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    later = guard_specs(str(repo.path), DEFAULTS, base=None, now=NOW + timedelta(days=17))
    assert rules(later) == [("review-date-old", SPEC, 1)]


def test_without_a_limit_of_age_a_review_never_gets_old_and_still_has_to_be_a_date(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    unlimited, far = GuardSettings(max_age_days=None), NOW.replace(year=9999)
    assert rules(guard_specs(str(repo.path), unlimited, base=None, now=far)) == []
    repo.put(SPEC, "last_review: 2025-13-45\n")
    assert rules(guard_specs(str(repo.path), unlimited, base=None, now=far)) == [("review-date-invalid", SPEC, 1)]
