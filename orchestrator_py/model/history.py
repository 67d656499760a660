"""One line on its way to the history of a task."""

from orchestrator_py.ids import RunId
from orchestrator_py.lean import frozen


@frozen(kw_only=True)
class EntryLine:
    """One metrics entry: `line` is its JSON without the newline.

    `repeated` marks an entry that may be on record already (sent again after an error, a resume, a seal).
    """

    run_id: RunId
    line: bytes
    repeated: bool = False
