"""Data for a script, as JSON that may stand inside a `script` element whatever is in it."""

from orchestrator_py.core.json_text import compact_json

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def script_json(data: object) -> str:
    """The same data to every reader of JSON, and nothing that ends the element, opens a comment or breaks a line."""
    text = compact_json(data)
    for character, escaped in _ESCAPES.items():
        text = text.replace(character, escaped)
    return text
