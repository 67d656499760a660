"""What manager and worker say to each other: which words there are, how long either waits for the other.

The engine is given a place-holder only. The work itself goes to the worker with the permission to begin, which the manager gives once:
whatever the engine repeats, it has nothing to repeat.
"""

from collections.abc import Mapping
from typing import Protocol

from orchestrator_py.model.grace import Grace
from orchestrator_py.ports import StageLog

OPERATION = "orchestrator-py"
"""The name of our handler among those of a worker."""

BEAT_SECONDS = 10.0
LEASE_SECONDS = 60.0
"""So long a worker goes on without any word from the manager; then it ends what it runs for it."""

UNCLAIMED_SECONDS = 15.0
"""So long a place waits for its first work: the manager may have left before it knew of it."""

POLL_SECONDS = 10.0
"""So long a worker keeps a question for more output open."""

GATHER_SECONDS = 0.05
"""So long output is gathered before it is sent."""

PIECE_BYTES = 1024 * 1024
"""About as much output is sent at a time, and as much again may wait at the worker."""

Reply = Mapping[str, object]

Needs = tuple[tuple[str, float], ...]
"""Units of resources that a worker must have: names with numbers, in their order."""


class Job(Protocol):
    """Work that a worker can do; it arrives pickled, and so does what it returns."""

    async def run(self, log: StageLog, grace: Grace) -> object: ...
