"""A task store without a disk: for work that is not rooted in a folder, and for tests. It keeps the same rules."""

from collections.abc import Sequence

from orchestrator_py.core.rollup import rollup_of_history
from orchestrator_py.errors import StoreError
from orchestrator_py.lean import define, field
from orchestrator_py.model.history import EntryLine
from orchestrator_py.model.rollups import Rollups
from orchestrator_py.model.timestamp import Timestamp
from orchestrator_py.store.ledger import Ledger


@define
class MemoryTaskStore:
    """What was committed stands in `lines`, in order, until the object goes."""

    lines: list[bytes] = field(factory=list)
    _closed: bool = False
    _ledger: Ledger = field(init=False)

    @_ledger.default
    def _create_ledger(self) -> Ledger:
        return Ledger(lambda: self.lines)

    def commit(self, entries: Sequence[EntryLine], /) -> None:
        self._refuse_when_closed()
        self.lines += [entry.line for entry in self._ledger.sift(entries).entries]

    def publish(self) -> None:
        self._refuse_when_closed()

    def rest(self) -> None:
        self._refuse_when_closed()

    def flush(self) -> None:
        self._refuse_when_closed()

    def close(self) -> None:
        self._closed = True

    def rollups(self, updated_at: Timestamp) -> Rollups:
        """The rollup documents, as a store on disk would publish them for the first time."""
        return rollup_of_history(self.lines).documents(baseline=None, updated_at=updated_at)

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise StoreError("The store in memory is closed; open another one.")
