"""Removes the folders of finished runs. History, baseline and totals stay: they do not depend on the folders.

`.pruned.jsonl` in the task's folder names each run that was removed, one a line. A run is named there before anything of it goes,
so a prune that was killed is finished by the next one. A run's folders go out of sight one by one, while its marker keeps it from being
taken up again; then what is in them is removed.
"""

import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from orchestrator_py.core.history_lines import parse_entry, run_id_of_entry
from orchestrator_py.core.json_text import compact_json, encode_json
from orchestrator_py.core.pruning import FinishedRun, PruningRule, finished_embedded_run, finished_run, is_terminal
from orchestrator_py.errors import DecodeError, RunHeldError, StoreError
from orchestrator_py.ids import RunId
from orchestrator_py.lean import define, field
from orchestrator_py.model.finding import Finding
from orchestrator_py.model.timestamp import format_timestamp
from orchestrator_py.store.files import list_folder, read_bytes, refuse_unless, remove_file, replace_bytes, telling
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.live_runs import keep_from_resuming, lost_runs
from orchestrator_py.store.lock import try_lock
from orchestrator_py.store.run_folders import FoundRun, command_line_run, command_line_runs, embedded_runs, refuse_strange_folders

_LEAVING = ".pruned-"


@define
class Candidates:
    """The finished runs of a task, and why the others are kept."""

    finished: list[FinishedRun] = field(factory=list)
    kept: list[Finding] = field(factory=list)
    stuck: list[StoreError] = field(factory=list)
    """What could not be removed: a run that stays where it was, or what is left of one that is out of sight."""


def find_candidates(task: TaskLayout) -> Candidates:
    """Whatever is not certain to have ended is kept."""
    refuse_strange_folders(task)
    candidates = Candidates()
    command_line = {run.run_id: run for run in command_line_runs(task)}
    embedded = {run.run_id: run for run in embedded_runs(task)}
    for run_id in sorted({*command_line, *embedded}):
        try:
            candidates.finished.append(_judge(task, run_id, command_line, embedded))
        except DecodeError as error:
            path = (command_line.get(run_id) or embedded[run_id]).path.parent
            candidates.kept.append(Finding(path=task.layout.relative(path), problem=str(error), remedy="the run is kept"))
    return candidates


def _judge(task: TaskLayout, run_id: RunId, command_line: dict[RunId, FoundRun], embedded: dict[RunId, FoundRun]) -> FinishedRun:
    """DecodeError with the reason why the run must be kept."""
    if _has_marker(task, run_id):
        raise DecodeError("its process is alive, or died and the run is not completed yet")
    for folder in (task.mcp_pointer(run_id).parent.parent, *_folders(task, run_id)):
        if folder.is_symlink():
            raise DecodeError(f"{task.layout.relative(folder)} is a symbolic link")
    run = command_line.get(run_id)
    if run is None:
        return finished_embedded_run(run_id, embedded[run_id].document or {})
    if run.document is None:
        raise DecodeError(f"its manifest is of no use ({run.problem})")
    parent = command_line.get(RunId(str(run.document.get("parent_run_id"))))
    if parent is not None and parent.document is not None and not is_terminal(parent.document):
        raise DecodeError(f"its parent run {parent.run_id} has not ended")
    return finished_run(run_id, run.document)


# Removing ----------------------------------------------------------------------------------------------------------


def prune(task: TaskLayout, rule: PruningRule, now: datetime) -> tuple[Sequence[FinishedRun], Candidates]:
    """The runs that were removed, oldest first, and what was found. RunHeldError if another prune is at work.

    What cannot be removed does not keep the others from it.
    """
    refuse_strange_folders(task)
    lock = try_lock(task.folder / ".prune.lock")
    if lock is None:
        raise RunHeldError(f"{task.folder}: another prune is at work here; wait for it, then try again.")
    try:
        left_over = _hidden_folders(task)
        _end_own_markers(task)
        candidates = find_candidates(task)
        candidates.stuck += _remove_trees(left_over)
        chosen = rule.select(candidates.finished, now)
        _note(task, chosen, now)
        removed = [run for run in chosen if _remove_run(task, run, candidates.stuck)]
    finally:
        lock.release()
    return removed, candidates


def pruned_runs(task: TaskLayout) -> int:
    """How many runs were removed so far. One that was named and is there all the same was resumed, or could not be removed yet."""
    return len(_noted(task).keys() - {*list_folder(task.folder), *list_folder(task.folder / "cli")})


def _pruned_file(task: TaskLayout) -> Path:
    return task.folder / ".pruned.jsonl"


def _note(task: TaskLayout, runs: Sequence[FinishedRun], now: datetime) -> None:
    """Appended by whole replacement; the earlier bytes stay as they are."""
    if not runs:
        return
    earlier = read_bytes(_pruned_file(task)) or b""
    lines = "".join(f"{compact_json({**_note_of(run), 'pruned_at': format_timestamp(now)})}\n" for run in runs)
    gap = b"" if earlier.endswith(b"\n") or not earlier else b"\n"
    replace_bytes(_pruned_file(task), earlier + gap + encode_json(lines), durable=True)


def _note_of(run: FinishedRun) -> dict[str, object]:
    return {"run_id": run.run_id, "status": run.status, "ended_at": format_timestamp(run.ended_at)}


def _noted(task: TaskLayout) -> dict[str, Mapping[str, object]]:
    """By run id, the last note of each run."""
    notes: dict[str, Mapping[str, object]] = {}
    for line in (read_bytes(_pruned_file(task)) or b"").split(b"\n"):
        with suppress(DecodeError):
            entry = parse_entry(line)
            notes[run_id_of_entry(entry) or ""] = entry
    notes.pop("", None)
    return notes


def _folders(task: TaskLayout, run_id: RunId) -> tuple[Path, ...]:
    """All folders of a run below the task's; the one with the manifest comes last, so that an unfinished removal is seen."""
    return task.mcp_pointer(run_id).parent, task.embedded_run(run_id).folder, task.cli_run(run_id).folder


def _remove_run(task: TaskLayout, run: FinishedRun, stuck: list[StoreError]) -> bool:
    """False if it stays: it was resumed meanwhile, or is stuck."""
    hidden: list[Path] = []
    try:
        gone = _hide_run(task, run, hidden)
    except StoreError as error:
        stuck.append(error)
        gone = False
    stuck += _remove_trees(hidden)
    return gone


def _hide_run(task: TaskLayout, run: FinishedRun, hidden: list[Path]) -> bool:
    """False if the run was resumed meanwhile."""
    marker = keep_from_resuming(task, run.run_id)
    if marker is None:
        return False
    try:
        if _newest(task, run) != run:
            return False
        _remove_local_pointer(task, run.run_id)
        for folder in filter(_is_folder, _folders(task, run.run_id)):
            hidden += [_hide(folder)]
    finally:
        marker.end()
    return True


def _newest(task: TaskLayout, run: FinishedRun) -> FinishedRun | None:
    """The run as its manifest tells now, None if that does not say that it has ended; an embedded run is never taken up again."""
    found = command_line_run(task, run.run_id)
    if found is None:
        return run
    try:
        return finished_run(run.run_id, found.document or {})
    except DecodeError:
        return None


def _is_folder(path: Path) -> bool:
    refuse_unless(stat.S_IFDIR, path)
    return path.is_dir()


def _hide(folder: Path) -> Path:
    hidden = folder.with_name(f"{_LEAVING}{os.urandom(8).hex()}")
    with telling(folder, "move it out of sight"):
        os.replace(folder, hidden)
    return hidden


def _has_marker(task: TaskLayout, run_id: RunId) -> bool:
    """Whether the run's process is alive, or died without completing the record."""
    return os.path.lexists(task.live_runs / run_id)


def _remove_local_pointer(task: TaskLayout, run_id: RunId) -> None:
    """Only if it leads to this run: other tasks have their pointers there too."""
    link = task.layout.local_mcp_pointer(run_id)
    leads_to = Path("..", "..") / task.cli_run(run_id).manifest.relative_to(task.layout.runs_root)
    if link.is_symlink() and not link.parent.is_symlink() and Path(os.readlink(link)) == leads_to:
        remove_file(link)
        with telling(link.parent, "remove it"):
            if not os.listdir(link.parent):
                os.rmdir(link.parent)


def _hidden_folders(task: TaskLayout) -> list[Path]:
    """What an earlier prune had moved out of sight when it was killed, or could not remove."""
    parents = [parent for parent in (task.folder, task.folder / "cli", task.folder / "mcp") if not parent.is_symlink()]
    folders = [parent / name for parent in parents for name in list_folder(parent) if name.startswith(_LEAVING)]
    return [folder for folder in folders if not folder.is_symlink() and folder.is_dir()]


def _remove_trees(folders: Iterable[Path]) -> Iterator[StoreError]:
    """Links in them are removed, not followed."""
    for folder in folders:
        try:
            with telling(folder, "remove it"):
                _remove_tree(folder)
        except StoreError as error:
            yield error


def _remove_tree(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except PermissionError:
        _make_writable(folder)
        shutil.rmtree(folder)


def _make_writable(folder: Path) -> None:
    """The folders in it, as far as they are ours: some programs take their own right to write away (the cache of Go's modules is so)."""
    with suppress(OSError):
        folder.chmod(stat.S_IRWXU)
    for parent, names, _ in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            with suppress(OSError):
                if not path.is_symlink():
                    path.chmod(stat.S_IRWXU)


def _end_own_markers(task: TaskLayout) -> None:
    """Those of runs that a prune was at when it was killed. Any other that nobody holds is of a run that is not completed."""
    notes = _noted(task)
    for marker in lost_runs(task):
        try:
            if _is_untouched(task, marker.run_id, notes.get(marker.run_id)):
                marker.end()
        finally:
            marker.release()


def _is_untouched(task: TaskLayout, run_id: RunId, note: Mapping[str, object] | None) -> bool:
    """Whether the run is gone, or ended as it was noted before its folders were to go."""
    found = command_line_run(task, run_id)
    if note is None or found is None:
        return note is not None
    try:
        return _note_of(finished_run(run_id, found.document or {})).items() <= note.items()
    except DecodeError:
        return False
