"""Guards of a repository: what its size costs, in calls of git that list its files."""

import subprocess
import sys
from pathlib import Path

from bench.errors import BenchError
from bench.model import CPU, WALL, Case, Place, Workload
from bench.musts import at_most, further_than_whole
from bench.workloads.sizes import scaled

FEW, MANY = 20, 20_000
DOCUMENTS = 20
PER_FOLDER = 50
GUARDS = ("spec", "docs", "diff-budget")
_GIT = ("git", "-c", "gc.auto=0", "-c", "core.fsync=none", "-c", "user.name=bench", "-c", "user.email=bench@example.org")
_PAGE = """# Page

The [next page](page-{next}.md#page), `src/folder-0/file-0.py`, and:

```sh
make build
orchestrator-py guard docs
```
"""


def create(scale: float) -> Workload:
    """Both repositories have the same documents, specification and change: what differs is the number of files."""
    many = scaled(MANY, scale, least=FEW + 1)
    listed, looked_at = _listing(many).name, _looking(many).name
    whole = {name: (_guard(name, FEW).name, _guard(name, many).name) for name in GUARDS}
    return Workload(
        name="W8",
        title=f"guards of a repository of {many} files",
        cases=[
            *(_listing(files) for files in (FEW, many)),
            _looking(many),
            *(_guard(name, files) for name in GUARDS for files in (FEW, many)),
        ],
        musts=[
            *(further_than_whole(5, figure, sizes, listed) for figure in (WALL, CPU) for sizes in whole.values()),
            *(further_than_whole(1.5, WALL, sizes, looked_at) for sizes in whole.values()),
            *(at_most(5, WALL, listed, case=larger) for _, larger in whole.values()),
        ],
    )


def _listing(files: int) -> Case:
    return _case("git ls-files", files, "git", "ls-files", "-z")


def _looking(files: int) -> Case:
    """What git needs to see which files have changed: it has to look at each of them."""
    return _case("git status", files, "git", "--no-optional-locks", "status", "--porcelain", "-z", "--untracked-files=all")


def _guard(name: str, files: int) -> Case:
    return _case(f"guard {name}", files, sys.executable, "-m", "orchestrator_py", "guard", name)


def _case(program: str, files: int, *command: str) -> Case:
    """In a repository that all rounds share: none of the programs changes it."""

    def prepare(place: Place) -> None:
        place.folder.rmdir()
        place.folder.symlink_to(_repository(files, place.shared))

    return Case(program=program, size=f"{files} files", prepare=prepare, command=lambda _: command)


def _repository(files: int, shared: Path) -> Path:
    """Made once: one commit, which is origin/main, and after it one file of code and its specification that are not committed."""
    root = shared / f"repository-{files}"
    if not root.exists():
        _write(root, files)
        _git(root, "init", "--quiet", "--template=")
        _git(root, "add", "--all")
        _git(root, "commit", "--quiet", "--message=all")
        _git(root, "update-ref", "refs/remotes/origin/main", "HEAD")
        (root / "src" / "folder-0" / "file-0.py").write_text("changed\n")
        (root / "tasks" / "specs" / "new.md").write_text("last_review: 2025-06-01\n")
    return root


def _write(root: Path, files: int) -> None:
    for folder in ("docs", "tasks/specs", *(f"src/folder-{number}" for number in range(-(-files // PER_FOLDER)))):
        (root / folder).mkdir(parents=True)
    for number in range(files):
        (root / "src" / f"folder-{number // PER_FOLDER}" / f"file-{number}.py").write_text(f"number = {number}\n")
    for number in range(DOCUMENTS):
        (root / "docs" / f"page-{number}.md").write_text(_PAGE.format(next=(number + 1) % DOCUMENTS))
    (root / "Makefile").write_text("build:\n\ttrue\n")
    (root / "codex.orchestrator.json").write_text('{"guardrails": {"maxAgeDays": null}}\n')


def _git(root: Path, *words: str) -> None:
    done = subprocess.run([*_GIT, *words], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"git {words[0]}: {done.stderr.strip()}")
