"""The bounded mailbox of the writer in virtual time: whoever finds it full waits, in the order of arrival."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from attrs import define, field

from bench.scale.virtual_time import Call, VirtualTime
from orchestrator_py.model.messages import Message

OnReply = Callable[[object], object]


class Mail(NamedTuple):
    """A message, and who waits for its answer."""

    message: Message
    on_reply: OnReply | None = None


class Sender(NamedTuple):
    """Who waits for room: since when, with what, and how it goes on."""

    since: float
    mail: Mail
    follow: Call


@define(eq=False)
class Mailbox:
    """The rules of the package's own; `on_news` is called whenever mail came in."""

    capacity: int
    _time: VirtualTime
    on_news: Call
    mail: deque[Mail] = field(factory=deque, init=False)
    senders: deque[Sender] = field(factory=deque, init=False)
    told: int = field(default=0, init=False)
    waits: int = field(default=0, init=False)
    waited: float = field(default=0.0, init=False)
    longest_wait: float = field(default=0.0, init=False)

    def tell(self, mail: Mail, follow: Call) -> None:
        """`follow` is called once the mail is inside."""
        if len(self.mail) >= self.capacity:
            self.senders.append(Sender(self._time.seconds, mail, follow))
            return
        self._put(mail)
        follow()

    def take_all(self) -> list[Mail]:
        mail = list(self.mail)
        self.mail.clear()
        return mail

    def admit(self) -> None:
        """Those who waited, as many as there is room for. One that has more to tell stands behind the others again."""
        for _ in range(len(self.senders)):
            if len(self.mail) >= self.capacity:
                return
            sender = self.senders.popleft()
            waited = self._time.seconds - sender.since
            self.waits += 1
            self.waited += waited
            self.longest_wait = max(self.longest_wait, waited)
            self._put(sender.mail)
            sender.follow()

    def _put(self, mail: Mail) -> None:
        self.told += 1
        self.mail.append(mail)
        self.on_news()
