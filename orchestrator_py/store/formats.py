"""Files whose format is newer than this version of the package: they are named, never rewritten and never dropped.

What carries a version: manifests (`version`), the rollup state (`version` of its totals) and the journal's commit lines (`version`,
left out while it is 1), and what is told of embedded runs in flight (`version`). Queue files and history are the contract's plain lines,
markers are empty.
"""

from collections.abc import Mapping
from pathlib import Path

from orchestrator_py.core.places import MANIFEST_VERSION as MANIFEST_VERSION
from orchestrator_py.errors import DecodeError, StoreError


class NewerManifestError(DecodeError):
    """A manifest that only a newer version of the package understands."""


class NewerStateError(StoreError):
    """A rollup state that only a newer version of the package understands."""


def newer_format(path: Path, version: int, known: int) -> str:
    """What to tell."""
    return (
        f"{path}: it is of a newer format ({version}; this version of orchestrator-py knows {known}) and was left as it is; "
        "upgrade orchestrator-py."
    )


def is_newer(document: Mapping[str, object], known: int) -> bool:
    """Whether the document's own `version` says so."""
    version = document.get("version")
    return isinstance(version, int) and version > known
