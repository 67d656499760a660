"""Do the places exist that a document names? Links with their anchors, and paths in code spans."""

import posixpath
import re
from collections.abc import Iterable, Iterator

from orchestrator_py.core.suggestion import suggest
from orchestrator_py.guards.document import Document, Named
from orchestrator_py.guards.finding import Finding
from orchestrator_py.guards.paths import within
from orchestrator_py.guards.surroundings import Surroundings

_ELSEWHERE = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:|//)|[<>{}*]|\.\.\.|…")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_PATH = re.compile(r"^(?:\./)?[\w.@+-][\w.@+\-]*(?:/[\w.@+\-]+)+/?$")
_PLACE_IN_FILE = re.compile(r"(?:#.*|:\d+(?:[:-]\d+)*)$")
_LINES = re.compile(r"L\d+(?:C\d+)?(?:-L\d+(?:C\d+)?)?|top|:~:.*")


def check_links(document: Document, there: Surroundings, ignored: Iterable[str]) -> Iterator[Finding]:
    """Links into the repository. One that leaves it is somebody else's."""
    for link in document.links:
        if finding := _check_link(document, link, there, tuple(ignored)):
            yield finding


def _check_link(document: Document, link: Named, there: Surroundings, ignored: tuple[str, ...]) -> Finding | None:
    from urllib.parse import unquote

    target = link.text[1:-1] if link.text.startswith("<") else link.text
    if _ELSEWHERE.search(target):
        return None
    path, _, anchor = _ESCAPED.sub(r"\1", target).partition("#")
    file = _file(document.path, unquote(path.partition("?")[0]))
    if file == ".." or file.startswith("../") or within(file, ignored):
        return None
    if not there.exists(file):
        return _missing(document, link, "doc-link", f"the link leads to {file}, which does not exist", file, there)
    wanted = unquote(anchor)
    anchors = there.anchors(file)
    if not wanted or anchors is None or _LINES.fullmatch(wanted) or {wanted, wanted.lower()} & anchors:
        return None
    message = f"{file} has no heading or anchor {wanted!r}{_meant(wanted, anchors)}"
    return Finding(file=document.path, line=link.line, rule="doc-anchor", message=message, remedy="Correct the link, or the heading")


def check_paths(document: Document, there: Surroundings, ignored: Iterable[str]) -> Iterator[Finding]:
    """By the contract: paths in code spans, without blanks and wildcards, whose first part lies in the root."""
    places = tuple(ignored)
    for span in document.spans:
        path = _PLACE_IN_FILE.sub("", span.text)
        if not _PATH.match(path) or "..." in path or ".." in path.split("/"):
            continue
        file = posixpath.normpath(path)
        if file.partition("/")[0] not in there.top or within(file, places):
            continue
        if not there.exists(file) and not there.exists(posixpath.join(posixpath.dirname(document.path), file)):
            yield _missing(document, span, "doc-path", f"{path} does not exist", file, there)


def _file(document: str, path: str) -> str:
    """From the root: an absolute path begins there, a relative one where the document lies, none is the document."""
    if not path:
        return document
    return posixpath.normpath(path.lstrip("/") or "." if path.startswith("/") else posixpath.join(posixpath.dirname(document), path))


def _missing(document: Document, named: Named, rule: str, message: str, file: str, there: Surroundings) -> Finding:
    close = there.similar(file)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return Finding(file=document.path, line=named.line, rule=rule, message=message + hint, remedy="Correct the document, or add the file")


def _meant(wanted: str, known: Iterable[str]) -> str:
    """Only what is close; a list of everything helps nobody."""
    hint = suggest(wanted, sorted(known))
    return hint if hint.startswith("; did you mean") else ""
