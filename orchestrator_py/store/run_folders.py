"""The folders of a task's runs, as somebody finds them who did not run them."""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchestrator_py.core.json_text import parse_json
from orchestrator_py.errors import IdentifierError, StoreError
from orchestrator_py.ids import RunId, TaskId, parse_run_id, parse_task_id
from orchestrator_py.lean import frozen
from orchestrator_py.store.files import list_folder, read_bytes, refuse_unless
from orchestrator_py.store.formats import MANIFEST_VERSION, is_newer, newer_format
from orchestrator_py.store.layout import RESERVED_RUN_IDS, RESERVED_TASK_IDS, Layout, TaskLayout


@frozen(kw_only=True)
class FoundRun:
    """A run's folder and the document in it; `document` is None if there is none that can be read, and `problem` says why."""

    run_id: RunId
    path: Path
    """Of the document."""
    document: Mapping[str, object] | None
    problem: str = ""


def list_tasks(layout: Layout) -> list[TaskId]:
    """The tasks that have anything on record below the runs folder."""
    names = (name for name in list_folder(layout.runs_root) if name.lower() not in RESERVED_TASK_IDS)
    tasks = (TaskId(name) for name in names if _may_be_task(name))
    return [task_id for task_id in tasks if _has_record(layout.task(task_id))]


def refuse_strange_folders(task: TaskLayout) -> None:
    """StoreError if a link or a file stands where one of the task's folders belongs."""
    for folder in (task.folder, task.pending, task.rollups, task.folder / "cli"):
        refuse_unless(stat.S_IFDIR, folder)


def command_line_runs(task: TaskLayout) -> Iterator[FoundRun]:
    """Every run below `cli`, with its manifest. The copy of a run's folder is no run: what its manifest says is said of another one."""
    return (_read_command_line_run(task, run_id) for run_id in _run_ids(task.folder / "cli"))


def command_line_run(task: TaskLayout, run_id: RunId) -> FoundRun | None:
    """As it is at this moment; None if it has no folder below `cli`."""
    return _read_command_line_run(task, run_id) if os.path.lexists(task.cli_run(run_id).folder) else None


def embedded_runs(task: TaskLayout) -> Iterator[FoundRun]:
    """Every run that lies in the task's folder itself, with its summary; command-line runs have one there too."""
    run_ids = (run_id for run_id in _run_ids(task.folder) if run_id not in RESERVED_RUN_IDS)
    runs = (_read_run(run_id, task.embedded_run(run_id).manifest) for run_id in run_ids)
    return (run for run in runs if run.document is not None or os.path.lexists(run.path))


def _read_run(run_id: RunId, path: Path) -> FoundRun:
    try:
        refuse_unless(stat.S_IFDIR, path.parent)
        content = read_bytes(path)
        document = None if content is None else parse_json(content)
    except StoreError as error:
        return FoundRun(run_id=run_id, path=path, document=None, problem=str(error).removeprefix(f"{path}: ").removesuffix("."))
    except ValueError:
        return FoundRun(run_id=run_id, path=path, document=None, problem="it is not JSON")
    if isinstance(document, dict) and is_newer(document, MANIFEST_VERSION):
        problem = newer_format(path, document["version"], MANIFEST_VERSION).removeprefix(f"{path}: ").removesuffix(".")
        return FoundRun(run_id=run_id, path=path, document=None, problem=problem)
    if isinstance(document, dict):
        return FoundRun(run_id=run_id, path=path, document=document)
    return FoundRun(run_id=run_id, path=path, document=None, problem="it is missing" if content is None else "it is no JSON object")


def _read_command_line_run(task: TaskLayout, run_id: RunId) -> FoundRun:
    run = _read_run(run_id, task.cli_run(run_id).manifest)
    if run.document is None or run.document.get("run_id") == run.run_id:
        return run
    problem = f"it is not that of this run: run_id is {run.document.get('run_id')!r:.80}"
    return FoundRun(run_id=run_id, path=run.path, document=None, problem=problem)


def _run_ids(folder: Path) -> Iterator[RunId]:
    for name in list_folder(folder):
        try:
            run_id = parse_run_id(name)
        except IdentifierError:
            continue
        if os.path.isdir(folder / name):
            yield run_id


def _may_be_task(name: str) -> bool:
    try:
        parse_task_id(name)
    except IdentifierError:
        return False
    return True


def _has_record(task: TaskLayout) -> bool:
    return any(os.path.lexists(path) for path in (task.metrics, task.pending, task.folder / "cli"))
