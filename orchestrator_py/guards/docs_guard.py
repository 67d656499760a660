"""The guard of documents: reads them, and holds what they name against what there is."""

import os
from collections.abc import Iterator

from orchestrator_py.guards.document import Document
from orchestrator_py.guards.examples import example_pipelines, example_problem
from orchestrator_py.guards.finding import Finding, Report
from orchestrator_py.guards.markdown import scan
from orchestrator_py.guards.paths import within
from orchestrator_py.guards.places import check_links, check_paths
from orchestrator_py.guards.said_commands import check_commands
from orchestrator_py.guards.surroundings import Surroundings
from orchestrator_py.model.guard_settings import GuardSettings


def guard_docs(there: Surroundings, settings: GuardSettings) -> Report:
    """Each document for itself, in the order of their names."""
    paths = sorted(set(_documents(there.root, settings)))
    texts = {path: there.read(path) for path in paths}
    documents = {path: scan(path, text) for path, text in texts.items() if text is not None}
    there.example_pipelines = frozenset(
        name for document in documents.values() for fence in document.fences for name in example_pipelines(fence)
    )
    there.labels = frozenset(label for document in documents.values() for label in document.labels)
    there.repositories = frozenset(name for document in documents.values() for name in document.repositories)
    findings = [
        finding
        for path in paths
        for finding in (check_document(documents[path], there, settings) if path in documents else [_unreadable(path)])
    ]
    return Report(guard="docs", scope=f"{len(paths)} documents", findings=findings)


def check_document(document: Document, there: Surroundings, settings: GuardSettings) -> list[Finding]:
    """Everything that is wrong in it, in the order of its lines."""
    found = [
        *check_links(document, there, settings.ignored_paths),
        *check_paths(document, there, settings.ignored_paths),
        *check_commands(document, there),
        *_check_examples(document),
    ]
    return sorted(dict.fromkeys(found), key=lambda finding: (finding.line or 0, finding.rule))


def _unreadable(path: str) -> Finding:
    remedy = "Save it as UTF-8, readable, of less than 4 MiB"
    return Finding(file=path, rule="doc-unreadable", message="cannot be read as a text", remedy=remedy)


def _check_examples(document: Document) -> Iterator[Finding]:
    for fence in document.fences:
        if not fence.closed:
            message = f"the block that begins above line {fence.line} does not end"
            remedy = "End it with as many marks as it begins with"
            yield Finding(file=document.path, line=fence.line - 1, rule="doc-fence", message=message, remedy=remedy)
        elif problem := example_problem(fence):
            line, what = problem
            remedy = "Correct the example, or give it another language"
            yield Finding(file=document.path, line=line, rule="doc-example", message=f"is not {fence.language}: {what}", remedy=remedy)


def _documents(root: str, settings: GuardSettings) -> Iterator[str]:
    """A root that is a file counts as it is; in a folder every Markdown file. One that is not there has none."""
    for place in settings.doc_roots:
        path = os.path.join(root, place)
        if os.path.isdir(path):
            yield from _below(root, path, settings)
        elif os.path.lexists(path):
            yield place


def _below(root: str, top: str, settings: GuardSettings) -> Iterator[str]:
    for folder, folders, names in os.walk(top):
        inside = os.path.relpath(folder, root)
        prefix = "" if inside == "." else f"{inside}/"
        folders[:] = [
            name for name in folders if name not in (".git", "node_modules") and not within(prefix + name, settings.ignored_paths)
        ]
        yield from (prefix + name for name in names if name.endswith(".md") and not within(prefix + name, settings.ignored_paths))
