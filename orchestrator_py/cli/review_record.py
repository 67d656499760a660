"""Where the evidence and the result of a review lie: beside the manifest of the run that it is about, each replaced whole."""

import os
from pathlib import Path

from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.cli.review_text import Reviewed, review_data
from orchestrator_py.core.json_text import encode_json, pretty_json
from orchestrator_py.core.places import REVIEW, REVIEW_RESULT
from orchestrator_py.guards.comparison import Comparison
from orchestrator_py.guards.decision import Decision, Judgement
from orchestrator_py.lean import frozen
from orchestrator_py.reading.run import Run
from orchestrator_py.store.files import replace_bytes

_BEGUN = Judgement(decision=Decision.NOT_REVIEWED, detail="the review has begun, and no end of it is on record")


@frozen
class ReviewRecord:
    """The record of one review; a `dry` one is never written. StoreError if it cannot be."""

    run: Run
    root: str
    dry: bool

    @property
    def evidence(self) -> str:
        """The path of review.md."""
        return os.path.join(os.path.dirname(self.run.path), REVIEW)

    def begin(self, comparison: Comparison | None, command: str | None) -> Reviewed:
        """A review of which nothing is known yet."""
        return Reviewed(
            judgement=_BEGUN,
            run=self.run,
            manifest=self._shown(self.run.path),
            review=None if self.dry else self._shown(self.evidence),
            scope=f"since {comparison.label}" if comparison else "nothing to measure",
            start=comparison.start if comparison else None,
            head=comparison.head if comparison else None,
            command=command,
            started_at=SystemClock().now(),
        )

    def put_evidence(self, text: str) -> None:
        """review.md."""
        if not self.dry:
            replace_bytes(Path(self.evidence), text.encode(errors="backslashreplace"), durable=True)

    def put_result(self, told: Reviewed) -> None:
        """review.json."""
        if not self.dry:
            place = Path(self.evidence).with_name(REVIEW_RESULT)
            replace_bytes(place, encode_json(f"{pretty_json(review_data(told))}\n"), durable=True)

    def _shown(self, path: str) -> str:
        inside = os.path.relpath(path, os.path.realpath(self.root))
        return path if inside.startswith(os.pardir) else inside
