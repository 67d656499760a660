"""The end of a stage's log, and what has been added to it since: as much as a page can show, however long the log is."""

from orchestrator_py.reading.files import OpenFile
from orchestrator_py.reading.stage_log import Piece, StageLog


class LogPart:
    """Pieces that follow one another. `end` is the byte at which the next part begins.

    `fresh`: they stand for everything that was read before; what was printed before them is left out if `cut`.
    """

    __slots__ = ("cut", "end", "fresh", "pieces")

    def __init__(self, pieces: list[Piece], *, end: int, fresh: bool, cut: bool) -> None:
        self.pieces = pieces
        self.end = end
        self.fresh = fresh
        self.cut = cut


def read_tail_of(log: StageLog, most: int) -> LogPart:
    """The whole lines within the last `most` bytes. UnreadableError if it is no log that can be read."""
    try:
        with OpenFile(log.path) as file:
            return _tail(log, file, most)
    except FileNotFoundError:
        return LogPart([], end=0, fresh=True, cut=False)


def read_added(log: StageLog, start: int, most: int) -> LogPart | None:
    """The whole lines behind the byte at which an earlier part has ended; None if there are none.

    Whoever is more than `most` bytes behind gets the tail instead, and so does everybody if the log has become another one.
    """
    try:
        with OpenFile(log.path) as file:
            if not start <= file.size <= start + most:
                return _tail(log, file, most)
            pieces, end = _lines(log, file, start)
    except FileNotFoundError:
        return None
    return LogPart(pieces, end=end, fresh=False, cut=False) if end > start else None


def _tail(log: StageLog, file: OpenFile, most: int) -> LogPart:
    start = max(0, file.size - most)
    if start and file.read(start - 1, 1) != b"\n":
        start += file.read(start, most).find(b"\n") + 1  # the line in whose middle we stand is older than what is asked for
    pieces, end = _lines(log, file, start)
    return LogPart(pieces, end=end, fresh=True, cut=start > 0)


def _lines(log: StageLog, file: OpenFile, start: int) -> tuple[list[Piece], int]:
    """What the whole lines from there say, and where they end."""
    data = file.read(start, file.size - start)
    whole = data[: data.rfind(b"\n") + 1]
    return [piece for line in whole.split(b"\n") if (piece := log.piece_in(line)) is not None], start + len(whole)
