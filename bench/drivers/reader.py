"""Reads every JSON file below a folder over and over until its stdin ends, then tells how many reads made no sense: `reader.py FOLDER`.

`.json` is one document; where it is a history, `metrics.json`, every line is one. A file that goes away meanwhile is no news.
"""

import json
import os
import sys
from pathlib import Path
from select import select
from time import sleep


def main() -> None:
    folder, reads, unparsable = Path(sys.argv[1]), 0, 0
    while not select([sys.stdin], [], [], 0)[0]:
        for path in _files(folder):
            try:
                text = path.read_bytes()
            except OSError:
                continue
            reads += 1
            unparsable += not _makes_sense(path.name, text)
        sleep(0.005)
    print(json.dumps({"reads": reads, "unparsable": unparsable}))


def _files(folder: Path) -> list[Path]:
    found = []
    for parent, _, names in os.walk(folder):
        found += [Path(parent, name) for name in names if name.endswith(".json") and not name.startswith(".")]
    return found


def _makes_sense(name: str, text: bytes) -> bool:
    try:
        if name != "metrics.json":
            json.loads(text)
            return True
        *lines, rest = text.split(b"\n")
        for line in lines:
            json.loads(line)
        return not rest
    except ValueError:
        return False


if __name__ == "__main__":
    main()
