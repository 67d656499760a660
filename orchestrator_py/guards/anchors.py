"""The anchors that a document has, as GitHub makes them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

_LINK = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])|\[|\](?:\([^)]*\))?")
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9-]*(?:\s[^>]*)?/?>")
_CODE = re.compile(r"(`+[^`]+`+)")
_EMPHASIS = re.compile(r"(?<!\w)(_{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)")
_LEFT_OUT = re.compile(r"[^\w\- ]")
_HTML = re.compile(r"<\w+\s[^>]*?(?:id|name)\s*=\s*[\"']([^\"']+)", re.IGNORECASE)


def slugs(headings: Iterable[str]) -> Iterator[str]:
    """One for each heading in order; one that was there before gets a number."""
    seen: Counter[str] = Counter()
    for heading in headings:
        slug = _slug(heading)
        yield f"{slug}-{seen[slug]}" if seen[slug] else slug
        seen[slug] += 1


def html_anchors(texts: Iterable[str]) -> frozenset[str]:
    """Those that stand there as HTML."""
    return frozenset(name for text in texts for name in _HTML.findall(text))


def _slug(heading: str) -> str:
    shown = "".join(part if part.startswith("`") else _shown(part) for part in _CODE.split(" ".join(heading.split())))
    return _LEFT_OUT.sub("", shown.strip().lower()).replace(" ", "-")


def _shown(text: str) -> str:
    """What a reader sees of it; in code everything is seen as it stands."""
    return _EMPHASIS.sub(r"\2", _TAG.sub("", _LINK.sub(lambda link: link[1] or "", text)))
