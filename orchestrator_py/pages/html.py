"""HTML as text. What is not `Html` is data: it becomes text or the value of an attribute, and never anything else."""

import re
from collections.abc import Iterable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Child: TypeAlias = "Html | str | int | None"

_VOID = frozenset({"meta", "rect", "path"})
_ENDS_BY_ITSELF = frozenset({"td", "th", "tr", "li", "dt", "dd", "thead", "tbody"})
"""Their end tags may be left out where we use them: a row costs half."""
_PLAIN = re.compile(r"[A-Za-z0-9_.%:#()-]+")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_SPECIAL = re.compile("[&<>\"']")


class Html(str):
    """Text that is markup already, made by this module alone."""

    __slots__ = ()


def escape(text: str) -> Html:
    """The text of others: no markup, no line break, and no character that cannot be seen or turns the direction of reading."""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " if character in "\n\t" else "\ufffd" for character in text)
    return Html(_SPECIAL.sub(lambda found: _ESCAPES[found[0]], text))


def join(children: "Iterable[Child]") -> Html:
    """One behind the other; None is nothing."""
    return Html("".join([_html(child) for child in children if child is not None]))


def element(name: str, *children: "Child", **attributes: "str | int | float | bool | None") -> Html:
    """An element. `class_` is `class`, `aria_label` is `aria-label`; an attribute that is None or False is left out, True has no value.

    Names are ours, values may be anybody's.
    """
    head = f"<{name}{''.join([_attribute(key, value) for key, value in attributes.items()])}"
    if name in _VOID:
        return Html(f"{head} />" if name != "meta" else f"{head}>")
    return Html(f"{head}>{join(children)}{'' if name in _ENDS_BY_ITSELF else f'</{name}>'}")


def raw(name: str, content: str, **attributes: "str | None") -> Html:
    """A `script` or `style`. Its content is ours, or JSON from `script_json`: it must not hold what would end it."""
    if "</" in content or "<!--" in content:
        raise ValueError(f"The content of <{name}> would end it.")
    head = f"<{name}{''.join([_attribute(key, value) for key, value in attributes.items()])}"
    return Html(f"{head}>{content}</{name}>")


def _attribute(key: str, value: "str | int | float | bool | None") -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    text = escape(str(value))
    return f" {name}={text}" if _PLAIN.fullmatch(text) else f' {name}="{text}"'


def _html(child: "Child") -> str:
    return child if isinstance(child, Html) else escape(str(child))
