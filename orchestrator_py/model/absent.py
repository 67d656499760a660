"""A key that is not there, as opposed to a key whose value is null."""

from enum import Enum
from typing import Final, Literal


class Absent(Enum):
    """The type of ABSENT: an Enum with one member, so that `match` and `is` narrow it."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final[Literal[Absent.ABSENT]] = Absent.ABSENT
