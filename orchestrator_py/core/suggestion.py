"""What a person who wrote an unknown name most likely meant."""

from collections.abc import Iterable


def suggest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` if something known is close; otherwise what is known, or nothing if nothing is."""
    from difflib import get_close_matches  # only who has mistyped waits for it

    names = list(dict.fromkeys(known))
    if close := get_close_matches(name, names, n=1):
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(names)}" if names else ""
