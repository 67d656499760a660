"""What one would write oneself: each run is a row of a database, in its own transaction: `sqlite.py SPEC`.

SPEC and the answer are those of ours.py, with `journal` for the mode of the database's journal. Nothing is run; a row is all that is made.
As SQLite takes one transaction after the other, runs in flight make no difference to it.
"""

import json
import sqlite3
import sys
from time import perf_counter

from bench.drivers.disk import wake_disk

COLUMNS = (
    "run_id TEXT PRIMARY KEY, status TEXT, started_at TEXT, completed_at TEXT, duration REAL, passed INTEGER, failed INTEGER, entry TEXT"
)


def open_database(path: str, journal: str) -> sqlite3.Connection:
    """With the strictest promise of durability."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(f"PRAGMA journal_mode={journal}")
    database.execute("PRAGMA synchronous=FULL")
    database.execute(f"CREATE TABLE IF NOT EXISTS runs ({COLUMNS})")
    return database


def insert(database: sqlite3.Connection, run_id: str, text: str) -> None:
    """One run."""
    row = (run_id, "succeeded", "2025-01-01T00:00:00.000Z", "2025-01-01T00:00:01.000Z", 1.0, 4, 0, text)
    database.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def main() -> None:
    spec = json.loads(sys.argv[1])
    database = open_database("runs.db", spec["journal"])
    text = "x" * (4000 if spec["summaries"] else 700)
    ids = [f"run-{place}" for place in range(spec["runs"] + 1)]
    insert(database, ids[0], text)
    wake_disk()
    began = perf_counter()
    for run_id in ids[1:]:
        insert(database, run_id, text)
    print(json.dumps({"seconds": perf_counter() - began, "run_ids": ids}))


if __name__ == "__main__":
    main()
