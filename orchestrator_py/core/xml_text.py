"""Text that XML can hold: it has no place, not even an escaped one, for most control characters, lone surrogates, U+FFFE and U+FFFF."""

import re

_ESCAPE_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")
_FORBIDDEN = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_ENDS = re.compile("\r\n?")


def xml_text(text: str) -> str:
    """Without what a terminal takes as an instruction; line ends are those that a parser gives back; what is forbidden becomes U+FFFD."""
    plain = _ESCAPE_SEQUENCES.sub("", text) if "\x1b" in text else text
    return _FORBIDDEN.sub("\ufffd", _LINE_ENDS.sub("\n", plain))
