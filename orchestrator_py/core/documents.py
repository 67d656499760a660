"""The files of a run as bytes: manifest, summaries, heartbeat, and the pointers that older readers follow."""

from collections.abc import Iterator
from itertools import chain

from orchestrator_py.core.codec.printing import Texts, pretty_pieces, print_pretty
from orchestrator_py.core.json_text import encode_json
from orchestrator_py.lean import frozen
from orchestrator_py.model.document import DocumentKind, RunDocument
from orchestrator_py.model.manifest import Manifest
from orchestrator_py.model.messages import Beat, OpenRun
from orchestrator_py.model.summary import RunSummary

_NEWLINE = b"\n"
_PIECE = 64 * 1024


def birth_documents(manifest: Manifest, texts: Texts) -> tuple[RunDocument, ...]:
    """What stands before the first stage starts: the manifest, the token that a resume asks for, the pointer to both."""
    token = RunDocument(kind=DocumentKind.RESUME_TOKEN, run_id=manifest.run_id, content=f"{manifest.resume_token}\n".encode())
    return manifest_document(manifest, texts), token, _pointer_document(manifest)


def manifest_document(manifest: Manifest, texts: Texts) -> RunDocument:
    """The manifest as it stands; `texts` are the run's."""
    return RunDocument(kind=DocumentKind.MANIFEST, run_id=manifest.run_id, content=Printed(manifest, end="\n", texts=texts))


def summary_documents(bare: RunSummary, full: RunSummary, opening: OpenRun) -> tuple[RunDocument, ...]:
    """The run's summaries: the manager's own, which by contract has no final newline, and a command-line run's with its scheduler."""
    if not opening.keep_summary:
        return ()
    texts = None if opening.manifest is None else Texts()  # two documents of the same items, each of which is printed once
    embedded = RunDocument(kind=DocumentKind.EMBEDDED_SUMMARY, run_id=bare.run_id, content=Printed(bare, texts=texts))
    if opening.manifest is None:
        return (embedded,)
    return embedded, RunDocument(kind=DocumentKind.RUN_SUMMARY, run_id=full.run_id, content=Printed(full, end="\n", texts=texts))


@frozen
class Printed:
    """The JSON text of a value that cannot change, with `end` behind it."""

    value: RunSummary | Manifest
    end: str = ""
    texts: Texts | None = None

    def pieces(self) -> Iterator[bytes]:
        """About 64 KiB at a time. ValueError or TypeError for what JSON cannot hold."""
        waiting, size = list[str](), 0
        for text in chain(pretty_pieces(self.value, self.texts), (self.end,)):
            waiting.append(text)
            size += len(text)
            if size >= _PIECE:
                yield encode_json("".join(waiting))
                waiting, size = [], 0
        yield encode_json("".join(waiting))


def heartbeat_document(beat: Beat) -> RunDocument:
    """When the run's process was last known to live; nothing is decided by it."""
    return RunDocument(kind=DocumentKind.HEARTBEAT, run_id=beat.run_id, content=f"{beat.at}\n".encode())


def _pointer_document(manifest: Manifest) -> RunDocument:
    pointer = {
        "redirect_to": manifest.artifact_root,
        "manifest": f"{manifest.artifact_root}/manifest.json",
        "created_at": manifest.started_at,
        "note": "Kept for readers of the older folder layout.",
    }
    return RunDocument(kind=DocumentKind.POINTER, run_id=manifest.run_id, content=_pretty(pointer) + _NEWLINE)


def _pretty(value: object) -> bytes:
    return encode_json(print_pretty(value))
