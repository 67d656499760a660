"""The files of a run: what two of them hold is printed once, and reads as if each had been printed for itself."""

from orchestrator_py.core.codec.printing import print_pretty
from orchestrator_py.core.codec.scheduler import scheduler_to_summary
from orchestrator_py.core.documents import Printed, summary_documents
from orchestrator_py.lean import evolve
from orchestrator_py.model.document import DocumentKind, RunDocument
from orchestrator_py.model.messages import OpenRun
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.summary import RunSummary
from tests.core.conversations import closed, conversation, hear, open_pipeline_run, open_run, reports_of

WORDS = [Outcome.SUCCEEDED, Outcome.FAILED, Outcome.SUCCEEDED]


def summary_of(opening: OpenRun) -> RunSummary:
    return closed(hear(conversation(opening, reports_of(opening, WORDS)))).summary


def text_of(document: RunDocument) -> str:
    return b"".join(document.pieces()).decode()


def test_both_summaries_of_a_pipeline_are_whole_in_whatever_order_they_are_written() -> None:
    opening = open_pipeline_run(len(WORDS))
    assert opening.scheduler is not None
    bare = evolve(summary_of(opening), scheduler=None)
    full = evolve(bare, scheduler=scheduler_to_summary(opening.scheduler))
    expected = {DocumentKind.EMBEDDED_SUMMARY: print_pretty(bare), DocumentKind.RUN_SUMMARY: f"{print_pretty(full)}\n"}
    forth = {document.kind: text_of(document) for document in summary_documents(bare, full, opening)}
    back = {document.kind: text_of(document) for document in reversed(summary_documents(bare, full, opening))}
    assert forth == back == expected
    assert len(set(expected.values())) == 2


def test_what_both_hold_is_kept_for_the_second_and_a_summary_that_stands_alone_keeps_nothing() -> None:
    pipeline, embedded = open_pipeline_run(len(WORDS)), open_run(len(WORDS))
    kept = [document.content for document in summary_documents(summary_of(pipeline), summary_of(pipeline), pipeline)]
    assert [type(content) for content in kept] == [Printed, Printed]
    first, second = kept
    assert isinstance(first, Printed)
    assert isinstance(second, Printed)
    assert first.texts is second.texts is not None
    (alone,) = summary_documents(summary_of(embedded), summary_of(embedded), embedded)
    assert isinstance(alone.content, Printed)
    assert alone.content.texts is None
