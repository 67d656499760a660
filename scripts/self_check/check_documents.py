"""Reads the documents: a configuration that they show must be accepted, a link between them must lead somewhere."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from orchestrator_py.core.configuration import parse_configuration

ROOT = Path(__file__).resolve().parents[2]


def problems(page: Path) -> Iterator[str]:
    """What is wrong on a page, one sentence each."""
    text = page.read_text()
    for block in re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        try:
            parse_configuration(json.loads(block), source=page.name)
        except ValueError as error:
            yield f"{page.name}: {error}"
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", text):
        if not (page.parent / target).exists():
            yield f"{page.name}: {target} does not exist"


def main() -> int:
    pages = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
    found = [problem for page in pages for problem in problems(page)]
    print("\n".join(found) or f"{len(pages)} pages")
    return 1 if found or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
