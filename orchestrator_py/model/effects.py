"""What must happen after a message, in this order: write before, record, write after, publish, reply."""

from orchestrator_py.lean import frozen
from orchestrator_py.model.document import RunDocument
from orchestrator_py.model.events import Event
from orchestrator_py.model.history import EntryLine


@frozen(kw_only=True)
class Effects:
    """The consequences of one message.

    `shown` are documents for readers only: one that cannot be written changes nothing. `before` are documents that must stand before the
    entry is recorded, `after` those that speak of it. `reply` is the answer to an ask; an exception is raised at the asker. `flush` asks
    for everything to be folded and published.
    """

    shown: tuple[RunDocument, ...] = ()
    before: tuple[RunDocument, ...] = ()
    entries: tuple[EntryLine, ...] = ()
    after: tuple[RunDocument, ...] = ()
    events: tuple[Event, ...] = ()
    reply: object = None
    flush: bool = False


NOTHING = Effects()
