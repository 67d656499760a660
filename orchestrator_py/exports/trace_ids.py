"""Ids of spans that are known before their spans are made: a stage is told its own when it starts, by `TRACEPARENT`, as W3C has it.

The ids follow from a secret of the call and from what the span is about, so that whoever starts stages and whoever makes spans agree
without asking each other.
"""

import os
import re
from collections.abc import Mapping
from hashlib import blake2b

from orchestrator_py.lean import field, frozen

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_SAMPLED = 1


@frozen(kw_only=True)
class TraceIds:
    """The trace of one call. `parent` is the span in whose work we were started, None if nobody told us of one."""

    trace_id: int
    parent: int | None = None
    flags: int = _SAMPLED
    state: str = ""
    seed: bytes = field(factory=lambda: os.urandom(32), repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "TraceIds":
        """The trace that TRACEPARENT names; a new one if it names none, or is none."""
        found = _TRACEPARENT.fullmatch(environment.get("TRACEPARENT", "").strip())
        if found is None or (found[1] == "00" and found[5]):
            return cls(trace_id=int.from_bytes(os.urandom(16)) or 1)
        return cls(trace_id=int(found[2], 16), parent=int(found[3], 16), flags=int(found[4], 16), state=environment.get("TRACESTATE", ""))

    def span_id(self, run_id: str, stage: str = "", attempt: int = 0) -> int:
        """Of a run, of one of its stages, or of an attempt at it."""
        about = "\0".join((run_id, stage, str(attempt))).encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(about, key=self.seed, digest_size=8).digest()) or 1

    def environment(self, run_id: str, stage: str) -> dict[str, str]:
        """For the commands of a stage: what they trace belongs below its span."""
        return {
            "TRACEPARENT": f"00-{self.trace_id:032x}-{self.span_id(run_id, stage):016x}-{self.flags & _SAMPLED:02x}",
            "TRACESTATE": self.state,
        }
