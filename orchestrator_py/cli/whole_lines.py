"""Whole lines from pieces of text."""


class WholeLines:
    """A long line costs no more for coming in many pieces."""

    def __init__(self) -> None:
        self._begun: list[str] = []

    def feed(self, text: str) -> list[str]:
        """The lines that end in this piece."""
        *lines, rest = text.split("\n")
        if lines:
            lines[0] = self.end() + lines[0]
        if rest:
            self._begun.append(rest)
        return lines

    def end(self) -> str:
        """What has come of a line without an end."""
        begun = "".join(self._begun)
        self._begun.clear()
        return begun
