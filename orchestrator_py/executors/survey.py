"""What a worker is: which versions it has, and what lies in the folder where commands are to run. Compared with ourselves."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from orchestrator_py.errors import InputError
from orchestrator_py.lean import frozen

GIT_SECONDS = 30


@frozen(kw_only=True)
class Folder:
    """A folder as one machine sees it. `identity` is the same for the same folder of the same machine; `commit` is empty without git."""

    exists: bool
    identity: str = ""
    commit: str = ""
    changed: tuple[str, ...] = ()


def look_at(root: str) -> Folder:
    """The folder here; at most three of the files that git calls changed."""
    path = Path(root)
    if not path.is_dir():
        return Folder(exists=False)
    status = path.stat()
    identity = f"{_machine()}:{status.st_dev}:{status.st_ino}"
    commit = _git(root, "rev-parse", "HEAD").strip()
    changed = _git(root, "status", "--porcelain").splitlines() if commit else []
    return Folder(exists=True, identity=identity, commit=commit, changed=tuple(line[3:] for line in changed[:3]))


def refuse_folder(worker: str, root: str, theirs: Folder, ours: Folder, *, allow_dirty: bool) -> None:
    """InputError unless the worker has what we have: the same folder, or the same commit without changes of its own."""
    if not theirs.exists:
        raise InputError(f"Worker {worker} has no folder {root}; put the repository there, or say with --remote-root where it is.")
    if theirs.identity and theirs.identity == ours.identity:
        return
    if theirs.commit != ours.commit:
        mine, yours = (one.commit[:12] or "no commit" for one in (ours, theirs))
        raise InputError(f"Worker {worker} has {yours} in {root}, and we have {mine}; check out the same commit there.")
    if allow_dirty:
        return
    if not ours.commit:
        raise InputError(f"Nobody can tell whether {root} of worker {worker} holds what we have: use git, or say --allow-dirty-remote.")
    if theirs.changed:
        names = ", ".join(theirs.changed)
        raise InputError(f"Worker {worker} has changes in {root} ({names}); undo them, or say --allow-dirty-remote.")


def refuse_versions(worker: str, theirs: Mapping[str, str], ours: Mapping[str, str]) -> None:
    """InputError if the worker cannot do our work: the package is missing there, or another version."""
    problem = theirs.get("problem")
    if problem:
        raise InputError(
            f"Worker {worker} cannot import orchestrator_py ({problem}); install orchestrator-py {ours['orchestrator-py']} for its Python."
        )
    for name, version in ours.items():
        if theirs.get(name) != version:
            raise InputError(f"Worker {worker} has {name} {theirs.get(name)}, and we have {version}; install the same version on both.")


def _git(root: str, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", root, *words], capture_output=True, text=True, errors="replace", timeout=GIT_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _machine() -> str:
    """One start of one machine: a copy of its disk has another one."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        import uuid

        return f"{uuid.getnode():x}"
