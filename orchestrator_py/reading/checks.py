"""What held a run to its rules: guardrails, what was approved all the same, a review."""

import os

from orchestrator_py.core import places
from orchestrator_py.reading.files import Data, UnreadableError, read_document
from orchestrator_py.reading.run import Run, text_of


def guardrails_of(run: Run) -> Data:
    """The guardrail status in its manifest; empty before it is counted, which is at the end of most runs."""
    status = run.manifest.get("guardrail_status")
    return status if isinstance(status, dict) else {}


def guardrails_told(run: Run) -> str:
    """In words: `spec-guard succeeded (1 passed)`; empty before they are counted."""
    return text_of(guardrails_of(run), "summary").removeprefix("Guardrails: ").removesuffix(".")


def is_unguarded(run: Run) -> bool:
    """Whether it has ended, and guardrails that were required (they are, if nobody says otherwise) did not run, one of them or all."""
    counts = guardrails_of(run).get("counts")
    if not run.has_ended or run.manifest.get("guardrails_required") is False or not isinstance(counts, dict):
        return False
    return counts.get("total") == 0 or bool(counts.get("other"))


def review_of(run: Run) -> Data:
    """The record that `review` has left; empty without one. UnreadableError says what is wrong with it."""
    path = os.path.join(os.path.dirname(run.path), places.REVIEW_RESULT)
    review = read_document(path) or {}
    if review and not text_of(review, "decision"):
        raise UnreadableError(path, "is no record of a review")
    return review
