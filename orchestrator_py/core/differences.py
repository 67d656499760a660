"""Where two pieces of JSON data differ, in words."""

_SHOWN = 60


def differences(found: object, expected: object, place: str = "") -> list[str]:
    """One sentence for each place: `total_runs is 3, not 4`. Order of keys does not count, and neither does 1 against 1.0."""
    if isinstance(found, dict) and isinstance(expected, dict):
        told: list[str] = []
        for key in dict.fromkeys([*expected, *found]):
            inner = f"{place}.{key}" if place else str(key)
            if key not in found:
                told.append(f"{inner} is missing")
            elif key not in expected:
                told.append(f"{inner} should not be there")
            else:
                told += differences(found[key], expected[key], inner)
        return told
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        pairs = zip(found, expected, strict=True)
        return [text for number, pair in enumerate(pairs) for text in differences(*pair, f"{place}[{number}]")]
    return [] if _same(found, expected) else [f"{place or 'it'} is {_short(found)}, not {_short(expected)}"]


def _same(found: object, expected: object) -> bool:
    """true is not 1."""
    return found == expected and isinstance(found, bool) == isinstance(expected, bool)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
