"""The words of a call that has nothing unusual about it, read without argparse: its import and its parsers are a sixth of a start that only
reads back.

What is not understood at once (a mistake, a plea for help, an option with many values) is left to argparse, which gets the very same
declarations: what a word means is said once, and argparse alone tells what is wrong.
"""

from types import SimpleNamespace

TYPE_CHECKING = False  # type checkers read the name; `typing` costs a fifth of a start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any


def read_plainly(declare: "Callable[[Any], None]", texts: "Sequence[str]") -> SimpleNamespace | None:
    """What the texts behind a command say, whose words `declare` declares; None if argparse has to be asked."""
    declarations = Declarations()
    try:
        declare(declarations)
        return SimpleNamespace(**_read(declarations.words, iter(texts)))
    except Exception:  # whatever it is, argparse meets it again, and tells it
        return None


class Declarations:
    """Stands where argparse has the parser of a command, and keeps what is declared."""

    def __init__(self, *, exclusive: bool = False) -> None:
        self.words: list[Word] = []
        self._group = self if exclusive else None

    def add_argument(self, *spellings: str, **settings: "Any") -> None:
        """One more word."""
        self.words.append(Word(spellings, settings, self._group))

    def add_argument_group(self, *_: str) -> "Declarations":
        """It is for readers of the help."""
        return self

    def add_mutually_exclusive_group(self) -> "Declarations":
        """Of its words one at most is said."""
        group = Declarations(exclusive=True)
        group.words = self.words
        return group


class Word:
    """An option, or a place for a text that is none."""

    __slots__ = ("action", "choices", "convert", "default", "group", "is_place", "many", "name", "required", "spellings")

    def __init__(self, spellings: tuple[str, ...], settings: "dict[str, Any]", group: Declarations | None) -> None:
        self.action = settings.get("action", "store")
        self.choices = settings.get("choices")
        self.convert = settings.get("type", str)
        self.default = settings.get("default", False if self.action == "store_true" else None)
        self.group = group
        self.is_place = not spellings[0].startswith("-")
        self.many = settings.get("nargs", "?") != "?"
        self.name = next((one for one in spellings if one.startswith("--")), spellings[0]).lstrip("-").replace("-", "_")
        self.required = settings.get("required", self.is_place and "nargs" not in settings)
        self.spellings = spellings

    def value(self, given: str | None, rest: "Iterator[str]", before: "Any") -> object:
        """What it comes to: with what was given after an equals sign, or is its own text, or else with the next text."""
        if self.many:
            raise ValueError("many values")
        if self.action == "store":
            return self._checked(self.convert(_no_option(next(rest)) if given is None else given))
        if given is None and self.action in ("count", "store_true"):
            return before + 1 if self.action == "count" else True
        raise ValueError("an unusual action")

    def _checked(self, value: object) -> object:
        if self.choices is not None and value not in self.choices:
            raise ValueError("not one of the choices")
        return value


def _read(words: list[Word], rest: "Iterator[str]") -> "dict[str, Any]":
    places = [word for word in words if word.is_place]
    options = {spelling: word for word in words if not word.is_place for spelling in word.spellings}
    values = {word.name: word.default for word in words}
    said: set[Word] = set()
    for text in rest:
        spelling, equals, given = text.partition("=") if text.startswith("-") else ("", "=", text)
        word = options[spelling] if spelling else places.pop(0)
        values[word.name] = word.value(given if equals else None, rest, values[word.name])
        said.add(word)
    groups = [word.group for word in said if word.group is not None]
    if len(groups) > len(set(groups)) or any(word.required and word not in said for word in words):
        raise ValueError("words that exclude one another, or words that are missing")
    return values


def _no_option(text: str) -> str:
    if text.startswith("-"):
        raise ValueError("perhaps an option")
    return text
