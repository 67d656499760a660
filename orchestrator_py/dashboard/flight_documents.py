"""What processes tell of the embedded runs that go on in them: each document read once for each time that it changes."""

import os
from collections.abc import Iterator

from orchestrator_py.core import places
from orchestrator_py.dashboard.signatures import Problems, Signature, signature_of
from orchestrator_py.lean import define, field
from orchestrator_py.reading.confined import refuse_outside
from orchestrator_py.reading.files import Data, UnreadableError
from orchestrator_py.reading.flights import Flight, flight_documents, flights_in, read_flight_document


@define(eq=False)
class FlightDocuments:
    """Whether its process lives is asked each time: that changes without any file."""

    runs_root: str
    _read: dict[str, tuple[Signature, list[Data]]] = field(factory=dict, init=False)

    def read(self, task: str, problems: Problems) -> list[Flight]:
        """The runs that are told of, on record or not yet. What cannot be read goes to `problems`."""
        try:
            refuse_outside(self.runs_root, os.path.join(self.runs_root, task, places.IN_FLIGHT))
            paths = flight_documents(self.runs_root, task)
        except UnreadableError as error:
            problems.append(error)
            return []
        self._forget(os.path.join(self.runs_root, task, ""), paths)
        return [flight for path in paths for flight in self._flights(path, task, problems)]

    def _flights(self, path: str, task: str, problems: Problems) -> Iterator[Flight]:
        try:
            yield from flights_in(path, self.runs_root, task, self._told)
        except UnreadableError as error:
            problems.append(error)

    def _told(self, path: str) -> list[Data]:
        signature, kept = signature_of(path), self._read.get(path)
        if kept is None or kept[0] != signature:
            self._read[path] = kept = (signature, read_flight_document(path))
        return kept[1]

    def _forget(self, folder: str, standing: list[str]) -> None:
        """A process that shows anything again takes a new name."""
        for path in list(self._read):
            if path.startswith(folder) and path not in standing:
                self._read.pop(path, None)
