"""The same question to a database: how many runs ended how, and how long they took: `aggregate.py DATABASE`."""

import json
import sqlite3
import sys

QUESTION = "SELECT status, count(*), avg(duration), sum(passed), sum(failed) FROM runs GROUP BY status"


def main() -> None:
    rows = sqlite3.connect(sys.argv[1]).execute(QUESTION)
    print(json.dumps({"total_runs": sum(count for _, count, *_ in rows)}))


if __name__ == "__main__":
    main()
