"""What really happened, kept apart from the code that is tried: a byte for each subtask of a run."""

from collections import Counter

from attrs import define, field

from orchestrator_py.ids import InstanceId
from orchestrator_py.model.outcome import Outcome

RANKED = (
    Outcome.SKIPPED,
    Outcome.SUCCEEDED,
    Outcome.CANCELLED,
    Outcome.CRASHED,
    Outcome.TIMED_OUT,
    Outcome.REJECTED,
    Outcome.FAILED,
    Outcome.ERROR,
)
"""From the mildest word to the worst, as the outcome rules have them; written down a second time on purpose."""

_UNKNOWN = 255


def name_of(place: int) -> str:
    """The id of a subtask; the place is in it, so that nothing has to be remembered to find it again."""
    return f"s{place}"


def place_of(subtask_id: str) -> int:
    return int(subtask_id[1:])


@define(eq=False)
class Truth:
    """Of one run, by place in the plan: how often each was taken up and told as finished, how many attempts it had, how it ended."""

    size: int
    chain: int
    taken: bytearray = field(init=False)
    finished: bytearray = field(init=False)
    attempts: bytearray = field(init=False)
    _words: bytearray = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.taken, self.finished, self.attempts = bytearray(self.size), bytearray(self.size), bytearray(self.size)
        self._words = bytearray([_UNKNOWN]) * self.size

    def end(self, place: int, outcome: Outcome) -> None:
        self._words[place] = RANKED.index(outcome)

    def need_of(self, place: int) -> int | None:
        """Each needs the one before, but for the first of a chain."""
        return place - 1 if place % self.chain else None

    def words(self) -> list[Outcome | None]:
        """How each ended; what never ran was skipped if what it needs did not succeed, and None otherwise: then it ought to have run."""
        words: list[Outcome | None] = []
        for place, word in enumerate(self._words):
            need = self.need_of(place)
            if word != _UNKNOWN:
                words.append(RANKED[word])
            else:
                blocked = need is not None and words[need] not in (Outcome.SUCCEEDED, Outcome.REJECTED)
                words.append(Outcome.SKIPPED if blocked else None)
        return words


@define(eq=False)
class Recoveries:
    """Of one run, by instance: how many workers died under it whose work was begun again, or was not; and whether all of it ended well."""

    requeued: Counter[InstanceId] = field(factory=Counter, init=False)
    escalated: Counter[InstanceId] = field(factory=Counter, init=False)
    _ended_well: dict[InstanceId, bool] = field(factory=dict, init=False)

    def begin_again(self, instance_id: InstanceId, outcome: Outcome) -> None:
        self.requeued[instance_id] += outcome is Outcome.CRASHED

    def end(self, instance_id: InstanceId, outcome: Outcome) -> None:
        self.escalated[instance_id] += outcome is Outcome.CRASHED
        good = outcome in (Outcome.SUCCEEDED, Outcome.REJECTED)
        self._ended_well[instance_id] = good and self._ended_well.get(instance_id, True)

    def stat_of(self, instance_id: InstanceId) -> tuple[str, int, int] | None:
        """Its word, its attempts, its recovery events; None if it has never worked."""
        good, requeued = self._ended_well.get(instance_id), self.requeued[instance_id]
        if good is None:
            return None
        word = ("recovered" if requeued else "succeeded") if good else "failed"
        return word, 1 + requeued, requeued + self.escalated[instance_id]


def count_up(counts: bytearray, place: int) -> None:
    """A byte is enough to tell none, one and too many."""
    counts[place] = min(counts[place] + 1, 255)
