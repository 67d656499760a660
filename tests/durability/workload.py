"""What runs on the recorded file system, and what must hold when the next process has recovered what it left."""

import itertools
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

from attrs import asdict, define, field

from orchestrator_py.errors import StoreError
from orchestrator_py.store.history import read_history, read_stamp
from orchestrator_py.store.rollup_files import _seal, document_files, open_seal
from tests.durability.filesystem import CrashState, Killed
from tests.store.entries import assert_settled, open_store, pending, task_below
from tests.store.workload import run_workload

_TASK = task_below(Path("/"))
_METRICS = str(_TASK.metrics)[1:]
_STATE = str(_TASK.rollup_state)[1:]
_DOCUMENTS = [str(path)[1:] for path in document_files(_TASK).values()]
_Key = tuple[object, ...]


@contextmanager
def same_names_each_time() -> Iterator[None]:
    """Random names and the clock are counters inside: equal states of two runs are equal."""
    ticks, tokens = itertools.count(1), itertools.count(1)
    with patch("time.time_ns", lambda: next(ticks)), patch("secrets.token_hex", lambda size: f"{next(tokens):0{2 * size}x}"):
        yield


def work(root: Path, acknowledge: Callable[[str], None]) -> None:
    """The reference workload, until a fault ends it."""
    with same_names_each_time(), suppress(StoreError, Killed):
        run_workload(root, acknowledge)


def recover(root: Path) -> None:
    """As the next process does it, to its end."""
    with same_names_each_time():
        store = open_store(root)
        assert store._owner is not None, "the lock of a dead process is free"
        store.close()


# States ------------------------------------------------------------------------------------------------------------


def write_state(state: CrashState, root: Path) -> None:
    """Puts the state below an empty root. A rollup state that fits metrics.json, by its inode, is made to fit the new one."""
    for below, content in state.contents.items():
        path = f"{root}/{below}"
        if content is None:
            os.mkdir(path)
        else:
            with open(path, "wb") as file:
                file.write(content)
    if (fitting := _fitting_state(state)) is not None:
        sealed = _seal({**fitting, "stamp": asdict(read_stamp(root / _METRICS))})
        (root / _STATE).write_bytes(sealed)


def _fitting_state(state: CrashState) -> dict[str, object] | None:
    history = state.contents.get(_METRICS)
    match open_seal(state.contents.get(_STATE) or b""):
        case {"stamp": {"inode": inode, "size": size}, **others} if history is not None:
            if inode == state.inodes[_METRICS] and size == len(history):
                return {str(name): value for name, value in others.items()}
    return None


def key_of(state: CrashState) -> _Key:
    """Equal for states that differ in nothing but the names of temp files and in inode numbers and times."""
    fitting = _fitting_state(state)
    contents = {**state.contents}
    if fitting is not None:
        contents[_STATE] = repr(fitting).encode()
    elif (state_file := open_seal(contents.get(_STATE) or b"")) is not None:
        contents[_STATE] = re.sub(r'"(inode|mtime_ns)": [0-9]{2,}', "", json.dumps(state_file)).encode()
    return tuple(sorted((re.sub(r"\.tmp-.*", ".tmp", name), content or b"", content is None) for name, content in contents.items()))


# Claims ------------------------------------------------------------------------------------------------------------


@define
class Auditor:
    """Recovers states and says what is wrong. What a recovered state says of itself is worked out once for equal ones."""

    root: Path
    """Empty before each call of `audit`."""
    _known: dict[_Key, Counter[str]] = field(factory=dict)

    def audit(self, state: CrashState, acknowledged: list[str]) -> str | None:
        """The first claim that does not hold after recovery, None if all hold."""
        try:
            _assert_whole(state)
            write_state(state, self.root)
            recover(self.root)
            on_record = self._recorded()
            assert [one for one in acknowledged if on_record[one] != 1] == [], "acknowledged, and not there exactly once"
        except (AssertionError, StoreError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        return None

    def _recorded(self) -> Counter[str]:
        key = key_of(_state_below(self.root))
        if key not in self._known:
            self._known[key] = _assert_recovered(self.root)
        return self._known[key]


def _assert_whole(state: CrashState) -> None:
    """What consumers read is whole before any recovery."""
    for below in _DOCUMENTS:
        json.loads(state.contents.get(below) or b"{}")
    history = state.contents.get(_METRICS) or b""
    assert history == b"" or history.endswith(b"\n"), "metrics.json ends with a whole line"
    for line in history.split(b"\n")[:-1]:
        json.loads(line)


def _contents(root: Path) -> dict[str, bytes | None]:
    """Every file below the root."""
    contents: dict[str, bytes | None] = {}
    for folder, _, names in os.walk(root):
        for name in names:
            with open(f"{folder}/{name}", "rb") as file:
                contents[f"{folder}/{name}"[len(str(root)) + 1 :]] = file.read()
    return contents


def _state_below(root: Path) -> CrashState:
    contents = _contents(root)
    inode = (root / _METRICS).stat().st_ino if _METRICS in contents else 0
    return CrashState(contents=contents, inodes={_METRICS: inode})


def _assert_recovered(root: Path) -> Counter[str]:
    settled = _contents(root)
    recover(root)
    assert _contents(root) == settled, "recovery twice changes nothing"
    task = task_below(root)
    assert_settled(task)
    assert all(re.fullmatch("b-[0-9]+", name) for name in pending(task)), "a live segment waits, and nothing else"
    assert len(pending(task)) <= 1, "one live segment"
    entries = [json.loads(line) for line in read_history(task)]
    counted = Counter(f"{entry['run_id']} {entry['status']}" for entry in entries)
    assert max(counted.values(), default=0) <= 1, "no entry twice"
    return counted
