"""The history of the simulated task: lines in memory, and the rollups folded from them as they come."""

from collections.abc import Sequence

from attrs import define, field

from bench.scale.meter import Meter
from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.core.json_text import encode_json, parse_json, pretty_json
from orchestrator_py.core.rollup import Rollup
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.rollups import Baseline, Rollups
from orchestrator_py.model.timestamp import Timestamp


@define(eq=False)
class History:
    """Every publication goes on from the state that the one before has saved, as a new owner of the task would."""

    _meter: Meter
    lines: list[bytes] = field(factory=list, init=False)
    rollup: Rollup = field(factory=Rollup.empty, init=False)
    published: Rollups = field(factory=Rollups, init=False)
    baseline: Baseline | None = field(default=None, init=False)
    _covered: int = field(default=0, init=False)

    def commit(self, entries: Sequence[EntryLine]) -> int:
        """How many bytes that is."""
        self.lines += [entry.line for entry in entries]
        return sum(len(entry.line) + 1 for entry in entries)

    def publish(self, at: Timestamp) -> list[int]:
        """The sizes of the files that this replaces: documents, then the state."""
        for line in self.lines[self._covered :]:
            self._meter.call("rollup: a line", self.rollup.add_line, line)
        self._covered = len(self.lines)
        return self._meter.call("rollup: publish", self._publish, at)

    def _publish(self, at: Timestamp) -> list[int]:
        self.published = self.rollup.documents(baseline=self.baseline, updated_at=at)
        self.baseline = self.baseline or self.published.baseline
        sizes = [len(encode_json(pretty_json(to_json(document)))) for document in self.published]
        state = encode_json(pretty_json(self.rollup.to_data()))
        self.rollup = Rollup.from_data(parse_json(state))
        return [*sizes, len(state)]
