"""How full the mailbox was over virtual time, in a bounded number of spans however long it takes."""

from collections.abc import Iterator

from attrs import define, field

_MOST = 24
_FIRST_WIDTH = 1.0  # seconds


@define(eq=False)
class Span:
    """What the writer found each time that it looked."""

    looks: int = 0
    mail: int = 0
    most_mail: int = 0
    most_senders: int = 0

    def add(self, other: "Span") -> None:
        self.looks += other.looks
        self.mail += other.mail
        self.most_mail = max(self.most_mail, other.most_mail)
        self.most_senders = max(self.most_senders, other.most_senders)


@define(eq=False)
class Track:
    """Spans of equal width; when there are too many, two become one."""

    width: float = _FIRST_WIDTH
    _spans: list[Span] = field(factory=list, init=False)

    def note(self, at: float, *, mail: int, senders: int) -> None:
        while at >= self.width * _MOST:
            self._halve()
        place = int(at / self.width)
        while len(self._spans) <= place:
            self._spans.append(Span())
        span = self._spans[place]
        span.looks += 1
        span.mail += mail
        span.most_mail = max(span.most_mail, mail)
        span.most_senders = max(span.most_senders, senders)

    def spans(self) -> Iterator[tuple[float, Span]]:
        """With the time at which each begins; a span without a look says that the writer had nothing to do, or did not come to it."""
        return ((place * self.width, span) for place, span in enumerate(self._spans))

    def _halve(self) -> None:
        self.width *= 2
        for place in range(0, len(self._spans) - 1, 2):
            self._spans[place].add(self._spans[place + 1])
        self._spans = self._spans[::2]
