"""What one stream of a command says: decoded piece by piece for the log, its first and last bytes kept for the report."""

from codecs import IncrementalDecoder, getincrementaldecoder

from orchestrator_py.lean import define, field
from orchestrator_py.model.execution import Output

NOTHING = Output()
HEAD_BYTES = 64 * 1024
TAIL_BYTES = 8 * 1024
_LONGEST_CHARACTER = 4


def _create_decoder() -> IncrementalDecoder:
    """UTF-8 that refuses nothing: a byte that is none is spelled out (`\\xff`)."""
    return getincrementaldecoder("utf-8")(errors="backslashreplace")


@define(eq=False)
class Capture:
    """Memory is bounded, however much is fed.

    The head is what a summary quotes and an error file holds, so it is the beginning that is kept; the tail is what a person
    wants to see of a command that failed.
    """

    _decoder: IncrementalDecoder | None = field(default=None, init=False)  # many streams stay silent
    _head: bytearray = field(factory=bytearray, init=False)
    _tail: bytes = field(default=b"", init=False)
    _size: int = field(default=0, init=False)

    @property
    def is_empty(self) -> bool:
        """Nothing was fed."""
        return not self._size

    def feed(self, data: bytes, *, final: bool = False) -> tuple[str, int]:
        """The text that is complete now, and how many bytes stand behind it; a character that was cut waits for its rest."""
        if not data and not self._size:
            return "", 0
        decoder = self._decoder = self._decoder or _create_decoder()
        waiting = _waiting_bytes(decoder)
        text = decoder.decode(data, final)
        self._head += data[: HEAD_BYTES - len(self._head)]
        self._tail = (self._tail + data)[-TAIL_BYTES:]
        self._size += len(data)
        return text, waiting + len(data) - _waiting_bytes(decoder)

    def output(self) -> Output:
        """What is kept; a character that the limit cut is left out."""
        if not self._size:
            return NOTHING
        truncated = self._size > HEAD_BYTES
        text = _create_decoder().decode(bytes(self._head), not truncated)
        return Output(text=text, truncated=truncated, tail=_decode_tail(self._tail, cut=self._size > TAIL_BYTES))


def _waiting_bytes(decoder: IncrementalDecoder) -> int:
    return len(decoder.getstate()[0])


def _decode_tail(tail: bytes, *, cut: bool) -> str:
    start = 0
    while cut and start < _LONGEST_CHARACTER - 1 and tail[start] & 0b1100_0000 == 0b1000_0000:
        start += 1
    return tail[start:].decode(errors="backslashreplace")
