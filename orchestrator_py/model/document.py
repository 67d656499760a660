"""The files of one run that consumers read, as names and bytes; where they lie is the store's business."""

from enum import Enum

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


@frozen(kw_only=True)
class RunDocument:
    """One whole file: `name` tells files of one kind apart (`01-build.json` among the error details)."""

    kind: DocumentKind
    run_id: RunId
    content: bytes
    name: str = ""
