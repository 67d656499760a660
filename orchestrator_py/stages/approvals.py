"""What a command has left of approvals, read when it has ended. Usually that is nothing, and costs one look."""

import json
import logging
import os
from errno import EINVAL
from pathlib import Path
from stat import S_ISREG

from orchestrator_py.model.approval import Approval
from orchestrator_py.model.timestamp import Timestamp

_logger = logging.getLogger(__name__)
_KEYS = {"actor", "timestamp", "reason"}
_MOST_BYTES = 1024 * 1024


def read_approvals(path: Path | str) -> tuple[Approval, ...]:
    """One for each line, in the order of the file. What is no approval is left out, with a warning."""
    try:
        lines = _read(path).split(b"\n")
    except FileNotFoundError:
        return ()
    except OSError as error:
        _logger.warning("%s: cannot be read (%s); what it approves is not on record.", path, error.strerror)
        return ()
    given = [(line, _parse(line)) for line in lines if line]
    for line, approval in given:
        if approval is None:
            _logger.warning("%s: %.80r is no approval, and is not on record.", path, line)
    return tuple(approval for _, approval in given if approval is not None)


def _read(path: Path | str) -> bytes:
    """OSError for what is no file: a command may have left anything, and a FIFO would be waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # where nothing is, half the price of `open`
    try:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(EINVAL, "it is no file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(_MOST_BYTES)
    finally:
        os.close(descriptor)


def _parse(line: bytes) -> Approval | None:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or set(data) != _KEYS or not all(isinstance(text, str) and text for text in data.values()):
        return None
    return Approval(actor=data["actor"], timestamp=Timestamp(data["timestamp"]), reason=data["reason"])
