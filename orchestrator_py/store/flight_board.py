"""Where a process shows which embedded runs of a task go on in it: a document, and beside it a locked marker that dies with the process.

Nothing of it is durable, and nothing depends on it but what people are shown, and what is put on record of runs whose process has died.
"""

import logging
import os
from pathlib import Path

from orchestrator_py.core.places import FLIGHTS_SUFFIX
from orchestrator_py.errors import StoreError
from orchestrator_py.lean import define, field
from orchestrator_py.store.files import remove_file, replace_bytes
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.markers import Marker, hold_marker

_log = logging.getLogger("orchestrator_py")


def document_beside(marker: Marker) -> Path:
    """Where the owner of the marker tells what goes on."""
    return marker.path.with_name(f"{marker.path.name}{FLIGHTS_SUFFIX}")


@define
class DiskFlightBoard:
    """One task's, in this process. 128 random bits tell its files from those of other processes."""

    _task: TaskLayout
    _marker: Marker | None = field(default=None, init=False)
    _complained: bool = field(default=False, init=False)

    def show(self, document: bytes) -> None:
        """In place of the one before; an empty one takes it away. A disk that refuses is told once and changes no run."""
        try:
            if document:
                self._put(document)
            else:
                self._take_away()
        except (OSError, StoreError) as error:
            if not self._complained:
                self._complained = True
                _log.warning("runs in flight are not shown: %s", error)

    def close(self) -> None:
        """Nothing goes on any more."""
        self.show(b"")
        if self._marker is not None:  # the disk refused
            self._marker.release()

    def _put(self, document: bytes) -> None:
        while self._marker is None:
            self._marker = hold_marker(self._task.in_flight / os.urandom(16).hex())
        replace_bytes(document_beside(self._marker), document, durable=False)

    def _take_away(self) -> None:
        """The document goes first: one without a living owner tells of runs that are lost."""
        if self._marker is not None:
            remove_file(document_beside(self._marker))
            marker, self._marker = self._marker, None  # it is not ours any more, even if the disk keeps it
            marker.end()
