"""Style sheets and scripts of the pages, as they are packaged: ours in `static/`, those of others in `vendor/` with their licences."""

import os
import re
from functools import cache

_BLANKS = re.compile(r"\s*([{};,])\s*")
_HERE = os.path.dirname(__file__)


@cache
def asset(name: str) -> str:
    """The text of a file such as `static/page.css`."""
    with open(os.path.join(_HERE, *name.split("/")), encoding="utf-8") as file:
        return file.read().strip()


def compact(text: str) -> str:
    """Without indentation, blank lines and lines that are a comment alone: for scripts whose lines mean nothing more."""
    lines = (line.strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def compact_style(text: str) -> str:
    """Also without the blanks beside brackets, semicolons and commas; for style sheets that have none of these in strings."""
    return _BLANKS.sub(r"\1", compact(text))
