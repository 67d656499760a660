"""The guard of specifications: asks git and the disk, and lets `spec` decide."""

import os
from datetime import datetime

from orchestrator_py.guards.changed_names import changed_names
from orchestrator_py.guards.comparison import against_base, last_commit
from orchestrator_py.guards.finding import Report
from orchestrator_py.guards.git import NO_REPOSITORY, Git, open_repository
from orchestrator_py.guards.spec import check_changes, check_reviews
from orchestrator_py.model.guard_settings import GuardSettings


def guard_specs(root: str, settings: GuardSettings, *, base: str | None, now: datetime) -> Report:
    """InputError if the base that is named is none, or git fails."""
    specs = _read_specs(root, settings)
    report = Report(guard="spec", scope=f"{len(specs)} specifications")
    git = open_repository(root, base)
    if git is None:
        report.notes.append(f"spec: {NO_REPOSITORY}; only the dates of reviews are checked")
    else:
        changed, label = _changes(git, base)
        report.scope += f", {len(changed)} changed files since {label}"
        report.findings += check_changes(changed, settings)
    report.findings += check_reviews(specs, now, settings)
    return report


def _changes(git: Git, base: str | None) -> tuple[set[str], str]:
    """If nothing differs from a base that nobody has named, the last commit is looked at."""
    comparison = against_base(git, base)
    changed = changed_names(git, comparison)
    last = None if changed or comparison.named else last_commit(git, comparison)
    return (changed_names(git, last), last.label) if last else (changed, comparison.label)


def _read_specs(root: str, settings: GuardSettings) -> dict[str, str | None]:
    """The documents that lie in the folders, not those of folders in them."""
    specs = {}
    for place in settings.spec_folders:
        path = os.path.join(root, place)
        names = sorted(os.listdir(path)) if os.path.isdir(path) else []
        files = [os.path.normpath(os.path.join(place, name)) for name in names] or [place]
        specs.update({file: _read(os.path.join(root, file)) for file in files if file.endswith(".md") and _is_there(root, file)})
    return specs


def _is_there(root: str, file: str) -> bool:
    path = os.path.join(root, file)
    return os.path.lexists(path) and not os.path.isdir(path)


def _read(path: str) -> str | None:
    """None if it cannot be read. A FIFO has nothing to read."""
    if not os.path.isfile(path):
        return None
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None
