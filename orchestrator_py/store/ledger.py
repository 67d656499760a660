"""Which entries are on record, as far as one owner knows: the rule by which an entry is new, the same again, or another outcome."""

from collections.abc import Callable, Iterable, Sequence

from orchestrator_py.core.history_lines import run_id_in
from orchestrator_py.ids import RunId
from orchestrator_py.lean import define, field, frozen
from orchestrator_py.model.history import EntryLine

UNKNOWN_RUN = RunId("")
"""Stands for the run of a line that cannot be read: such a line is recorded as it is and compared with nothing."""


@frozen(kw_only=True)
class Sifted:
    """What is left to record. `superseding`: some run of it has an earlier entry, and counts once, with its last one."""

    entries: tuple[EntryLine, ...]
    superseding: bool


@define
class Ledger:
    """Knows the entries of the journal and of this owner; searches the whole history only for repeated ones.

    That is slow, and rare for most owners. For one whose runs are named by its caller it is not: the second search keeps all that it meets.
    """

    _read_history: Callable[[], Iterable[bytes]]
    _runs: set[RunId] = field(factory=set)
    _entries: set[int] = field(factory=set)  # 64 bits of each line, keyed anew for each process
    _searches: int = field(default=0, init=False)

    def note(self, run_id: RunId, line: bytes) -> None:
        if run_id != UNKNOWN_RUN:
            self._runs.add(run_id)
            self._entries.add(hash(line))

    def sift(self, entries: Sequence[EntryLine]) -> Sifted:
        """Drops what is on record already and takes note of the rest."""
        self._search({entry.run_id for entry in entries if entry.repeated})
        fresh: list[EntryLine] = []
        superseding = False
        for entry in entries:
            known = entry.run_id in self._runs
            if not (known and hash(entry.line) in self._entries):
                superseding |= known
                fresh.append(entry)
                self.note(entry.run_id, entry.line)
        return Sifted(entries=tuple(fresh), superseding=superseding)

    def _search(self, wanted: set[RunId]) -> None:
        if self._searches > 1 or not wanted - {UNKNOWN_RUN}:
            return
        self._searches += 1
        for line in self._read_history():
            run_id = run_id_of(line)
            if self._searches > 1 or run_id in wanted:
                self.note(run_id, line)


def run_id_of(line: bytes) -> RunId:
    """The run that an entry line speaks of, UNKNOWN_RUN if it cannot be read."""
    name = run_id_in(line)
    return UNKNOWN_RUN if name is None else RunId(name)
