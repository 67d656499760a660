"""Nothing below the runs folder leads out of it: a link that somebody has put there is refused, whatever it points to."""

import os

from orchestrator_py.reading.files import UnreadableError


def refuse_outside(root: str, path: str) -> None:
    """UnreadableError if the path, with all links on the way followed, lies anywhere but below the root. It need not exist."""
    inside, found = os.path.realpath(root), os.path.realpath(path)
    if found != inside and not found.startswith(inside.rstrip(os.sep) + os.sep):
        raise UnreadableError(path, "leads out of the runs folder", "remove the link")
