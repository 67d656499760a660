"""The files of one run that consumers read, as names and bytes; where they lie is the store's business."""

from collections.abc import Iterator
from enum import Enum
from typing import Protocol

from orchestrator_py.ids import RunId
from orchestrator_py.lean import frozen


class DocumentKind(Enum):
    """Which file of a run."""

    EMBEDDED_SUMMARY = "embedded summary"
    MANIFEST = "manifest"
    RUN_SUMMARY = "run summary"
    ERROR_DETAIL = "error detail"
    HEARTBEAT = "heartbeat"
    RESUME_TOKEN = "resume token"
    POINTER = "pointer"


class Content(Protocol):
    """Bytes that are made when they are written: a large summary is never in memory as text."""

    def pieces(self) -> Iterator[bytes]:
        """All of it, from the beginning each time; any number of pieces of any size."""


@frozen(kw_only=True)
class RunDocument:
    """One whole file: `name` tells files of one kind apart (`01-build.json` among the error details)."""

    kind: DocumentKind
    run_id: RunId
    content: bytes | Content
    name: str = ""

    def pieces(self) -> Iterator[bytes]:
        """What the file holds."""
        return iter((self.content,)) if isinstance(self.content, bytes) else self.content.pieces()
