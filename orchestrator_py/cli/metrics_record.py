"""`metrics record`: an entry that its run could not put on record is recorded now, once, however often it is given."""

import sys
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.cli.console import print_json, print_lines
from orchestrator_py.cli.folders import parse_task
from orchestrator_py.cli.metrics_place import open_layout
from orchestrator_py.core.history_lines import parse_entry, run_id_in
from orchestrator_py.errors import DecodeError, InputError
from orchestrator_py.ids import TaskId, parse_run_id
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.timestamp import parse_timestamp
from orchestrator_py.store.files import open_for_reading, telling
from orchestrator_py.store.history import read_history
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.run_folders import refuse_strange_folders
from orchestrator_py.store.task_store import open_task_store

_LARGEST_ENTRY_BYTES = 8 * 1024 * 1024
_NEEDED = ("pipeline_id", "status", "started_at", "recorded_at")
_SENTENCES = {
    "recorded": "recorded",
    "superseded": "recorded; it takes the place of an earlier entry of the run",
    "queued": "queued, since another process holds the task, which will record it",
    "known": "on record already; nothing was changed",
    "outdated": "on record with a newer entry, which stays; nothing was changed",
}


def record(arguments: Namespace) -> int:
    """0 once the entry is on record. InputError if the file does not hold one entry."""
    line = _read_line(arguments.file)
    entry = _parse(line, arguments.file)
    task_id = _task_of(entry, arguments)
    task = open_layout(arguments).task(task_id)
    word = _record(task, EntryLine(run_id=parse_run_id(entry["run_id"]), line=line, repeated=True))
    if arguments.format == "json":
        return print_json({"task": task_id, "run_id": entry["run_id"], "answer": word}, 0)
    return print_lines([f"{task_id}: run {entry['run_id']}: {_SENTENCES[word]}"], 0)


def _record(task: TaskLayout, entry: EntryLine) -> str:
    refuse_strange_folders(task)
    earlier = [line for line in read_history(task) if run_id_in(line) == entry.run_id]
    if entry.line in earlier:
        return "known"
    if earlier and _recorded_at(earlier[-1]) > _recorded_at(entry.line):  # the run was resumed since
        return "outdated"
    store = open_task_store(task.layout, task.task_id, now=SystemClock().now)
    store.commit([entry])
    store.close()
    if entry.line not in read_history(task):
        return "queued"
    return "superseded" if earlier else "recorded"


def _recorded_at(line: bytes) -> datetime:
    """When the entry was made; an entry that does not tell is older than all others."""
    return parse_timestamp(parse_entry(line).get("recorded_at")) or datetime.min.replace(tzinfo=UTC)


def _read_line(name: str) -> bytes:
    """The one line of the file, without its newline and byte order mark."""
    content = sys.stdin.buffer.read(_LARGEST_ENTRY_BYTES + 1) if name == "-" else _read_file(Path(name))
    if len(content) > _LARGEST_ENTRY_BYTES:
        raise InputError(f"{name}: it has more than {_LARGEST_ENTRY_BYTES} bytes; give one entry.")
    lines = [line for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    if len(lines) != 1:
        raise InputError(f"{name}: it holds {len(lines)} lines; give one entry, one line of JSON.")
    return lines[0]


def _read_file(path: Path) -> bytes:
    """A link that was named is followed."""
    with telling(path, "find it"):
        path = path.resolve()
    file = open_for_reading(path)
    if file is None:
        raise InputError(f"{path}: there is no such file; name a file that holds one entry, or - for stdin.")
    with file, telling(path, "read it"):
        return file.read(_LARGEST_ENTRY_BYTES + 1)


def _parse(line: bytes, name: str) -> dict[str, object]:
    try:
        entry = parse_entry(line)
    except DecodeError as error:
        raise InputError(f"{name}:1: {error}; give one entry, one line of JSON.") from None
    missing = [key for key in _NEEDED if not isinstance(entry.get(key), str)]
    if missing:
        raise InputError(f"{name}:1: the entry has no text under {', '.join(missing)}; give an entry as metrics.json holds them.")
    parse_run_id(entry.get("run_id"))
    return entry


def _task_of(entry: dict[str, object], arguments: Namespace) -> TaskId:
    """The entry's task, which must be the one that was named, if one was."""
    named = parse_task(arguments.task) if arguments.task is not None else None
    task_id = entry.get("task_id")
    if not isinstance(task_id, str):
        raise InputError(f"{arguments.file}:1: the entry names no task_id; give an entry as metrics.json holds them.")
    if named is not None and named != task_id:
        raise InputError(f"{arguments.file}:1: the entry is of task {task_id!r}, not of {named!r}; leave --task out.")
    return parse_task(task_id)
