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
_HISTORY = re.compile(r"(?:^|/)(?:change[_-]?log|changes|history|news|release[_-]?notes)[^/]*$", re.IGNORECASE)
_MADE_UP = re.compile(r"(?:^|[/.])(?:(?:my|your)[_-]|X{2,}|(?:foo|bar)\b)")
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
    file = _file(document.path, unquote(path.partition("?")[0]), there)
    if {target, unquote(anchor)} & there.labels or file == ".." or file.startswith("../") or within(file, ignored):
        return None
    if not there.exists(file):
        return (
            None
            if there.is_ignored(file)
            else _missing(document, link, "doc-link", f"the link leads to {file}, which does not exist", file, there)
        )
    wanted = unquote(anchor)
    anchors = there.anchors(file)
    if not wanted or anchors is None or _LINES.fullmatch(wanted) or {wanted, wanted.lower()} & anchors:
        return None
    message = f"{file} has no heading or anchor {wanted!r}{_meant(wanted, anchors)}"
    return Finding(file=document.path, line=link.line, rule="doc-anchor", message=message, remedy="Correct the link, or the heading")


def check_paths(document: Document, there: Surroundings, ignored: Iterable[str]) -> Iterator[Finding]:
    """By the contract: paths in code spans, without blanks and wildcards, whose first part lies in the root.

    A history of changes names what was; what a sentence creates, what git ignores, and `your_file` need not be there; `owner/name` that
    a document has on GitHub is no path.
    """
    places = tuple(ignored)
    for span in () if _HISTORY.search(document.path) else document.spans:
        path = _PLACE_IN_FILE.sub("", span.text)
        if not _PATH.match(path) or "..." in path or ".." in path.split("/"):
            continue
        file = posixpath.normpath(path)
        if file.partition("/")[0] not in there.top or within(file, places) or there.exists(file):
            continue
        beside = posixpath.join(posixpath.dirname(document.path), file)
        meant_otherwise = span.announced or _MADE_UP.search(file) or file in there.repositories or there.exists(beside)
        if not meant_otherwise and not there.is_ignored(path):
            yield _missing(document, span, "doc-path", f"{path} does not exist", file, there)


def _file(document: str, path: str, there: Surroundings) -> str:
    """From the root: a relative path begins where the document lies, none is the document.

    An absolute one begins in the root, or in a folder above the document, which is the root of a site to many programs that make one.
    """
    if not path:
        return document
    if not path.startswith("/"):
        return posixpath.normpath(posixpath.join(posixpath.dirname(document), path))
    inner, folder = posixpath.normpath(path.lstrip("/") or "."), posixpath.dirname(document)
    while folder and (there.exists(inner) or not there.exists(posixpath.join(folder, inner))):
        folder = posixpath.dirname(folder)
    return posixpath.normpath(posixpath.join(folder, inner))


def _missing(document: Document, named: Named, rule: str, message: str, file: str, there: Surroundings) -> Finding:
    close = there.similar(file)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return Finding(file=document.path, line=named.line, rule=rule, message=message + hint, remedy="Correct the document, or add the file")


def _meant(wanted: str, known: Iterable[str]) -> str:
    """Only what is close; a list of everything helps nobody."""
    hint = suggest(wanted, sorted(known))
    return hint if hint.startswith("; did you mean") else ""
