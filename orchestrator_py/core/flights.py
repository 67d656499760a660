"""Which embedded runs of a task are shown as in flight, and the document that shows them.

A run is shown once it was in flight at two looks: one that is over before that costs nothing. Who makes the document decides how often
to look.
"""

from collections.abc import Mapping
from itertools import islice

from orchestrator_py.core.flight_view import FlightView
from orchestrator_py.core.json_text import compact_json, encode_json
from orchestrator_py.core.places import FLIGHTS_VERSION
from orchestrator_py.core.run_record import RunRecord
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import define, field
from orchestrator_py.model.timestamp import Timestamp

MOST_RUNS = 1_000
"""So many are shown at once, those that are in flight longest."""

MOST_NEWS = 400
"""So many subtasks and instances are told anew at one look, in the caller's event loop; what is left comes with the next looks.

A new run takes the place of one: its head costs less, and waits for nothing, since a run of which nothing is told leaves no record.
"""


@define
class Flights:
    """What was shown at the last look. `look` reads records that others change, so both happen in one event loop."""

    task_id: TaskId
    _seen: set[RunId] = field(factory=set, init=False)
    _shown: dict[RunId, FlightView] = field(factory=dict, init=False)
    _texts: dict[RunId, str] = field(factory=dict, init=False)

    @property
    def is_over(self) -> bool:
        """Whether nothing is shown, and nothing waits to be."""
        return not (self._seen or self._shown)

    def look(self, runs: Mapping[RunId, RunRecord], at: Timestamp) -> bytes | None:
        """The document as it has to be now: None if it stays as it is, empty if there is nothing to show any more."""
        changed = self._forget_ended(runs)
        self._begin_lasting({run_id: record for run_id, record in runs.items() if record.opening.manifest is None})
        changed |= self._tell_news(at)
        return self._document(at) if changed else None

    def _forget_ended(self, runs: Mapping[RunId, RunRecord]) -> bool:
        ended = [run_id for run_id, view in self._shown.items() if runs.get(run_id) is not view.record]
        for run_id in ended:
            del self._shown[run_id]
            self._texts.pop(run_id, None)
        return bool(ended)

    def _begin_lasting(self, embedded: Mapping[RunId, RunRecord]) -> None:
        lasting = (run_id for run_id in embedded if run_id in self._seen and run_id not in self._shown)
        for run_id in islice(lasting, MOST_RUNS - len(self._shown)):
            self._shown[run_id] = FlightView(embedded[run_id])
        self._seen = set(embedded)

    def _tell_news(self, at: Timestamp) -> bool:
        """Those that were told go to the end: their next turn comes after the others'. Of a new one at least the head is told at once."""
        new = [run_id for run_id in self._shown if run_id not in self._texts]
        budget, told = MOST_NEWS - len(new), list[RunId]()
        for run_id, view in self._shown.items():
            if budget > 0 and view.has_news():
                budget -= view.weight
                self._texts[run_id] = compact_json(view.data(at))
                told.append(run_id)
        for run_id in new:
            if run_id not in self._texts:
                self._texts[run_id] = compact_json(self._shown[run_id].head(at))
        for run_id in told if budget <= 0 else ():
            self._shown[run_id] = self._shown.pop(run_id)
        return bool(told or new)

    def _document(self, at: Timestamp) -> bytes:
        if not self._texts:
            return b""
        head = compact_json({"version": FLIGHTS_VERSION, "task_id": self.task_id, "updated_at": at})
        return encode_json(f'{head[:-1]},"runs":[{",".join(self._texts.values())}]}}\n')
