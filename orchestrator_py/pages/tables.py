"""Tables, and what may be wider than the page."""

from collections.abc import Iterable, Sequence

from orchestrator_py.pages.html import Html, element, join

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestrator_py.pages.html import Child


def table(
    caption: "Child", heads: "Sequence[tuple[str, str]]", rows: Iterable[Html], class_: str | None = None, more: Html | None = None
) -> Html:
    """Heads are text and class; a row comes from `row`. `more` is another body, for rows of another kind."""
    head = element("tr", *(element("th", text, scope="col", class_=name or None) for text, name in heads))
    return element("table", element("caption", caption), element("thead", head), element("tbody", join(rows)), more, class_=class_)


def row(head: "Child", *cells: Html, class_: str | None = None) -> Html:
    """A row that its first cell names; the others come from `cell`."""
    return element("tr", element("th", head, scope="row", class_=class_), *cells)


def cell(content: "Child", class_: str | None = None) -> Html:
    """Of a row."""
    return element("td", content, class_=class_)


def number_cell(content: "Child") -> Html:
    """At the right, in digits of one width."""
    return cell(content, "n")


def scrolling(label: str, content: Html) -> Html:
    """What is too wide for the page is moved by itself, with the keyboard too."""
    return element("div", content, class_="scroll", tabindex=0, role="region", aria_label=label)
