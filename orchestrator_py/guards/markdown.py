"""A Markdown text taken apart, as far as a guard needs it: fenced blocks, code spans, links and anchors, each with its line.

A scanner of lines and a few patterns stand for a parser: what they take for text although it is none (an indented block in a list) can be
put between comments, see `Document`.
"""

import re
from collections.abc import Iterator

from orchestrator_py.guards.anchors import html_anchors, slugs
from orchestrator_py.guards.document import Document, Fence, Named
from orchestrator_py.lean import frozen

_QUOTE = re.compile(r"^(?: {0,3}> ?)+")
_FENCE = re.compile(r"^(\s*)(?:(?:[-*+]|\d+[.)])\s+)?(`{3,}|~{3,})([^`]*)$")
_HEADING = re.compile(r"^ {0,3}#{1,6}(?:[ \t](.*))?$")
_HEADING_END = re.compile(r"(?:^|[ \t])#+$")
_UNDERLINE = re.compile(r"^ {0,3}(?:=+|-+)[ \t]*$")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s")
_INDENTED = re.compile(r"^(?: {4}|\t)")
_SWITCH = re.compile(r"<!--\s*guard-docs:\s*(on|off)\s*-->")
_SPAN = re.compile(r"\\[\\`]|(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TARGET = r"(<[^>\n]*>|(?:[^\s()\\]|\\.|\([^\s()]*\))+)"
_LINK = re.compile(rf"\]\(\s*{_TARGET}(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^)]*\)))?\s*\)")
_DEFINITION = re.compile(r"^ {0,3}\[[^\]^][^\]]*\]:\s*(<[^>\n]*>|\S+)", re.MULTILINE)
_ANNOUNCED = re.compile(r"\b(?:create|generate)[sd]?\b[^.]*$", re.IGNORECASE)
_LABEL = re.compile(r"^[ \t]*(?:\(([^()\s]+)\)=|:(?:label|name):[ \t]*(\S+))[ \t]*$", re.MULTILINE)
_REPOSITORY = re.compile(r"\bgithub\.com/([\w.-]+/[\w.-]+?)(?:\.git)?(?![\w.-])")
_HTML_LINK = re.compile(r"<(?:a|img)\s[^>]*?(?:href|src)\s*=\s*[\"']([^\"']+)", re.IGNORECASE)


_SENTENCE = 80  # characters before a code span in which it may be announced
_LINKS = (("](", _LINK), ("]:", _DEFINITION), ("<", _HTML_LINK))  # to look for the sign first is much faster


@frozen(kw_only=True)
class Block:
    """Lines that belong together: a paragraph, an item, a row, a heading."""

    line: int
    text: str
    heading: bool = False


def scan(path: str, text: str) -> Document:
    """The document at that path."""
    parts = list(_parts(text.replace("\r\n", "\n").split("\n")))
    blocks = [part for part, _ in parts if isinstance(part, Block)]
    checked = [part for part, on in parts if on and isinstance(part, Block)]
    return Document(
        path=path,
        fences=tuple(part for part, on in parts if on and isinstance(part, Fence)),
        spans=tuple(span for block in checked for span in _spans(block)),
        links=tuple(link for block in checked for link in _links(block)),
        anchors=frozenset(slugs(block.text for block in blocks if block.heading)) | html_anchors(block.text for block in blocks),
        labels=frozenset(own or named for own, named in _LABEL.findall(text)),
        repositories=frozenset(_REPOSITORY.findall(text)),
    )


def _parts(lines: list[str]) -> Iterator[tuple[Block | Fence, bool]]:
    """Blocks and fences, each with whether it is to be checked."""
    scanner = _Scanner(lines)
    while scanner.at < len(lines):
        yield from ((part, scanner.on) for part in scanner.step())
    yield from ((part, scanner.on) for part in scanner.flush())


class _Scanner:
    """Where we are in the lines, and the paragraph that has not ended yet."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.at = 0
        self.on = True
        self._begun = 0
        self._paragraph: list[str] = []
        self._in_list = False
        if lines[0] == "---" and "---" in lines[1:]:  # front matter
            self.at = lines.index("---", 1) + 1

    def step(self) -> Iterator[Block | Fence]:
        """Goes on by a line, or by a fence or comment."""
        line = _QUOTE.sub("", self.lines[self.at])
        if fence := _FENCE.match(line):
            yield from self.flush()
            yield self._fence(fence)
        elif line.lstrip().startswith("<!--"):
            yield from self.flush()
            self._comment()
        else:
            yield from self._text(line)
            self.at += 1

    def flush(self) -> Iterator[Block]:
        """The paragraph, if there is one."""
        if self._paragraph:
            yield Block(line=self._begun, text="\n".join(self._paragraph))
            self._paragraph = []

    def _text(self, line: str) -> Iterator[Block]:
        if heading := _HEADING.match(line):
            yield from self.flush()
            yield Block(line=self.at + 1, text=_HEADING_END.sub("", (heading[1] or "").strip()), heading=True)
        elif self._paragraph and _UNDERLINE.match(line) and not _ITEM.match(self._paragraph[0]):
            yield Block(line=self._begun, text="\n".join(self._paragraph), heading=True)
            self._paragraph = []
        elif not line.strip():
            yield from self.flush()
        elif self._paragraph or not _INDENTED.match(line) or self._in_list:
            yield from self._add(line)

    def _add(self, line: str) -> Iterator[Block]:
        item = _ITEM.match(line) is not None
        if item or line.lstrip().startswith("|"):
            yield from self.flush()
        if not self._paragraph:
            self._begun = self.at + 1
            self._in_list = item or (self._in_list and line[0].isspace())
        self._paragraph.append(line)

    def _fence(self, opening: re.Match[str]) -> Fence:
        indent, marks, info = len(opening[1]), opening[2], opening[3].strip()
        first = self.at + 1
        closing = re.compile(rf"^\s*{re.escape(marks[0])}{{{len(marks)},}}\s*$")
        bare = [_QUOTE.sub("", line) if self.lines[self.at].lstrip().startswith(">") else line for line in self.lines[first:]]
        length = next((number for number, line in enumerate(bare) if closing.match(line)), len(bare))
        text = "\n".join(line[min(indent, len(line) - len(line.lstrip())) :] for line in bare[:length])
        self.at = first + length + 1
        language = re.split(r"[\s,{]", info.lstrip("{.").lower(), maxsplit=1)[0].rstrip("}")
        return Fence(line=first + 1, language=language, text=text, closed=length < len(bare))

    def _comment(self) -> None:
        """To its end. One that is a switch has its effect."""
        if switch := _SWITCH.search(self.lines[self.at]):
            self.on = switch[1] == "on"
        while self.at < len(self.lines) and "-->" not in self.lines[self.at]:
            self.at += 1
        self.at += 1


def _spans(block: Block) -> Iterator[Named]:
    for span in _SPAN.finditer(block.text):
        if span[2]:
            announced = "/" in span[2] and _ANNOUNCED.search(block.text, max(0, span.start() - _SENTENCE), span.start()) is not None
            yield Named(_line(block, span.start()), " ".join(span[2].split()), announced)


def _links(block: Block) -> Iterator[Named]:
    """A code span holds none; what looks like a link in it is blotted out."""
    text = _SPAN.sub(_blot, _COMMENT.sub(_blot, block.text))
    for sign, pattern in _LINKS:
        for link in pattern.finditer(text) if sign in text else ():
            yield Named(_line(block, link.start()), link[1])


def _blot(match: re.Match[str]) -> str:
    return "".join("\n" if character == "\n" else "x" for character in match[0])


def _line(block: Block, offset: int) -> int:
    return block.line + block.text.count("\n", 0, offset)
