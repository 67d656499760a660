"""The files of single runs on disk. They are replaced whole but not synced: the entry in the history is what is kept."""

import errno
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import assert_never

from orchestrator_py.errors import StoreError
from orchestrator_py.ids import TaskId
from orchestrator_py.lean import define, field
from orchestrator_py.model.document import DocumentKind, RunDocument
from orchestrator_py.store.files import make_folders, replace_pieces, telling
from orchestrator_py.store.layout import Layout, TaskLayout

_HAS_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})
"""What a file system without symbolic links answers: readers find the runs there by their tasks alone."""

MOST_KNOWN_FOLDERS = 100
"""Each embedded run has a folder of its own, and a manager may see a million of them."""


@define
class DiskRunFiles:
    """The runs of one task below the chosen folders."""

    _layout: Layout
    _task_id: TaskId
    _known_folders: set[Path] = field(factory=set, init=False)

    def write(self, documents: Sequence[RunDocument], /) -> None:
        """Replace each file; StoreError names the first one that could not be."""
        for document in documents:
            path = self._path(document)
            self._write_into(path.parent, partial(_replace, path, document))
            if document.kind is DocumentKind.POINTER:
                self._link_for_local_readers(document)

    def _path(self, document: RunDocument) -> Path:
        task: TaskLayout = self._layout.task(self._task_id)
        run = task.cli_run(document.run_id)
        match document.kind:
            case DocumentKind.EMBEDDED_SUMMARY:
                return task.embedded_run(document.run_id).manifest
            case DocumentKind.MANIFEST:
                return run.manifest
            case DocumentKind.RUN_SUMMARY:
                return run.run_summary
            case DocumentKind.ERROR_DETAIL:
                return run.errors / document.name
            case DocumentKind.HEARTBEAT:
                return run.heartbeat
            case DocumentKind.RESUME_TOKEN:
                return run.resume_token
            case DocumentKind.POINTER:
                return task.mcp_pointer(document.run_id)
            case _:
                assert_never(document.kind)

    def _write_into(self, folder: Path, write: Callable[[], None]) -> None:
        """A prune takes away the folder of a run whose name comes again: it is made once more, unless the whole task's is gone."""
        self._make_folder(folder)
        try:
            write()
        except StoreError as error:
            if not isinstance(error.__cause__, FileNotFoundError) or not self._layout.task(self._task_id).folder.is_dir():
                raise
            self._known_folders.discard(folder)
            self._make_folder(folder)
            write()

    def _make_folder(self, folder: Path) -> None:
        if folder in self._known_folders:
            return
        make_folders(folder)
        if len(self._known_folders) >= MOST_KNOWN_FOLDERS:
            self._known_folders.clear()
        self._known_folders.add(folder)

    def _link_for_local_readers(self, document: RunDocument) -> None:
        """`.runs/local-mcp/<run>/manifest.json` leads to the manifest, relative, so that the folders can be moved together."""
        link = self._layout.local_mcp_pointer(document.run_id)
        manifest = self._layout.task(self._task_id).cli_run(document.run_id).manifest
        self._write_into(link.parent, partial(_link, link, Path("..", "..") / manifest.relative_to(self._layout.runs_root)))


def _replace(path: Path, document: RunDocument) -> None:
    replace_pieces(path, document.pieces())


def _link(link: Path, target: Path) -> None:
    with telling(link, "make the link"):
        try:
            link.symlink_to(target)
        except FileExistsError:
            pass
        except OSError as error:
            if error.errno not in _HAS_NO_LINKS:
                raise


@define
class MemoryRunFiles:
    """The same without a disk: the newest content of every document, by kind, run and name."""

    documents: dict[tuple[DocumentKind, str, str], bytes] = field(factory=dict, init=False)

    def write(self, documents: Sequence[RunDocument], /) -> None:
        """Keep each document in place of its predecessor."""
        for document in documents:
            self.documents[document.kind, document.run_id, document.name] = b"".join(document.pieces())
