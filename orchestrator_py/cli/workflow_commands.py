"""Workflow commands of GitHub: lines in a log that its runner obeys, whoever wrote them. Ours are escaped, those of others are broken.

The runner obeys a line that begins with `::` after blanks, and one that holds `##[` anywhere; it reads stdout and stderr.
"""

import re

LONGEST_MESSAGE = 4096

_BEGINNING = re.compile(r"^([^\S\n]*)::", re.MULTILINE)
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def workflow_command(name: str, message: str, **properties: str) -> str:
    """One line: `::error title=a::what happened`."""
    shown = ",".join(f"{key}={value.translate(_PROPERTY)}" for key, value in properties.items())
    line = f"::{name}{' ' if shown else ''}{shown}::{message[:LONGEST_MESSAGE].translate(_DATA)}"
    return "".join(character if character.isprintable() else "\ufffd" for character in line).replace("##[", "## [")


def harmless(text: str) -> str:
    """The same to read, and nothing in it is a workflow command."""
    return _BEGINNING.sub(r"\1: :", text).replace("##[", "## [")


def harmless_json(text: str) -> str:
    """The same data: `##[` can stand only inside a string, where `#` may be written as an escape."""
    return text.replace("##[", "#\\u0023[")
