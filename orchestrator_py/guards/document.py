"""What a Markdown document shows and names, as far as the guard of documents looks at it."""

from orchestrator_py.lean import frozen


@frozen(kw_only=True)
class Fence:
    """A fenced block. `line` is that of its first line of text, from 1."""

    line: int
    language: str
    text: str
    closed: bool = True


@frozen
class Named:
    """A text at a line: the text of a code span, or the target of a link. `announced`: the sentence says that it will be made."""

    line: int
    text: str
    announced: bool = False


@frozen(kw_only=True)
class Document:
    """`path` is relative to the repository. What stands between the comments `guard-docs: off` and `on` is only in `anchors`.

    `labels` are those of MyST, which any document of the project may link to; `repositories` those on GitHub that it links to.
    """

    path: str
    fences: tuple[Fence, ...]
    spans: tuple[Named, ...]
    links: tuple[Named, ...]
    anchors: frozenset[str]
    labels: frozenset[str] = frozenset()
    repositories: frozenset[str] = frozenset()
