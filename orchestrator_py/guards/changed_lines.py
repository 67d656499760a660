"""How much has changed: files and their lines, as git counts them."""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping

from orchestrator_py.guards.change import Change
from orchestrator_py.guards.comparison import Comparison
from orchestrator_py.guards.git import Git
from orchestrator_py.guards.paths import within
from orchestrator_py.lean import evolve

MOST_BYTES = 1024 * 1024
_LOOKED_AT = 8000  # where git looks for NUL
_DIFF = ("diff", "--numstat", "-z", "-M", "--relative", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty")


def changed_lines(git: Git, comparison: Comparison, ignored: Iterable[str]) -> list[Change]:
    """Each file once, by its new name. What is staged and then changed again counts as the greater of the two."""
    if comparison.end is not None:
        counted = _tracked(git, comparison.start, comparison.end, "--")
    else:
        counted = _tracked(git, comparison.start, "--")
        for path, lines in _tracked(git, "--cached", comparison.start, "--").items():
            counted[path] = max(lines, counted.get(path, 0))
    places = tuple(ignored)
    tracked = [Change(path=path, lines=lines) for path, lines in counted.items() if not within(path, places)]
    untracked = [] if comparison.end else [path for path in _others(git) if not within(path, places) and path not in counted]
    attributes = _attributes(git, [*(change.path for change in tracked), *untracked])
    counted_too = (_untracked(git.folder, path, attributes[path]) for path in untracked)
    return [evolve(change, generated=_generated(attributes[change.path])) for change in (*tracked, *counted_too)]


def _tracked(git: Git, *what: str) -> dict[str, int]:
    return dict(_numbers(iter(git.words(*_DIFF, *what))))


def _numbers(words: Iterator[str]) -> Iterator[tuple[str, int]]:
    """`added TAB deleted TAB path`; of a rename without the path, which follows twice: as it was and as it is. Binary files have dashes."""
    for word in words:
        added, deleted, path = word.split("\t", 2)
        if not path:
            next(words)
            path = next(words)
        yield path, 0 if added == "-" else int(added) + int(deleted)


def _others(git: Git) -> list[str]:
    return git.words("ls-files", "--others", "--exclude-standard", "-z")


def _attributes(git: Git, paths: list[str]) -> Mapping[str, Mapping[str, str]]:
    """`linguist-generated` and `diff` of each path: set, unset, unspecified, or a value."""
    found: dict[str, dict[str, str]] = {path: {} for path in paths}
    if paths:
        words = git.ask("check-attr", "-z", "--stdin", "linguist-generated", "diff", paths=paths)
        for path, name, value in zip(words[::3], words[1::3], words[2::3], strict=True):
            found[path][name] = value
    return found


def _generated(attributes: Mapping[str, str]) -> bool:
    return attributes.get("linguist-generated") in ("set", "true")


def _untracked(folder: str, path: str, attributes: Mapping[str, str]) -> Change:
    """As git will count it once it is added. Too large to be meant, or unreadable, it has a problem instead."""
    place = os.path.join(folder, path)
    try:
        status = os.lstat(place)
        if stat.S_ISLNK(status.st_mode):
            return Change(path=path, lines=1)
        if not stat.S_ISREG(status.st_mode) or _generated(attributes):  # another repository inside this one
            return Change(path=path)
        if status.st_size > MOST_BYTES:
            return Change(path=path, problem=f"is untracked and larger than {MOST_BYTES // 1024} KiB")
        with open(place, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:  # gone since git has named it
        return Change(path=path)
    except OSError as error:
        return Change(path=path, problem=f"is untracked and cannot be read: {error.strerror}")
    binary = attributes.get("diff") == "unset" or (attributes.get("diff") == "unspecified" and b"\0" in data[:_LOOKED_AT])
    return Change(path=path, lines=0 if binary else len(data.split(b"\n")) - (not data or data.endswith(b"\n")))
