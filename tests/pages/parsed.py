"""A document as a parser of HTML sees it."""

from html.parser import HTMLParser

Attributes = list[tuple[str, str | None]]


class Parsed(HTMLParser):
    """`tags` in the order of the document, and the text outside of scripts and style sheets."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, Attributes]] = []
        self.others: list[str] = []
        self.texts: list[str] = []
        self.contents: list[tuple[str, Attributes, str]] = []
        self._last: tuple[str, Attributes] = ("", [])
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self.tags.append((tag, attrs))
        self._last = (tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self._last = ("", [])

    def handle_data(self, data: str) -> None:
        tag, attributes = self._last
        if tag in ("script", "style"):
            self.contents.append((tag, attributes, data))
        else:
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)

    @property
    def shape(self) -> list[tuple[str, list[str]]]:
        """Elements and the names of their attributes, in order."""
        return [(tag, [name for name, _ in attributes]) for tag, attributes in self.tags]

    def values(self, attribute: str) -> list[str]:
        """Of all elements that have it."""
        return [value or "" for _, attributes in self.tags for name, value in attributes if name == attribute]
