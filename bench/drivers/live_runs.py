"""Runs that have ended, and live ones that write events until a signal comes.

Arguments: the folder, how many runs of either kind, events a second.

An event is a line in a stage's log and in the runner's; every tenth replaces the manifest too. Markers are locked as an owner locks them.
"""

import fcntl
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path


def main() -> None:
    root, ended, live, rate = Path(sys.argv[1]), *map(int, sys.argv[2:])
    task = root / ".runs" / "busy"
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(ended):
        write_manifest(make(task, begin + timedelta(minutes=number)), "succeeded", begin, 8)
    (task / "live-runs").mkdir(exist_ok=True)
    folders = [make(task, begin + timedelta(days=30, minutes=number)) for number in range(live)]
    markers = [open(task / "live-runs" / folder.name, "w") for folder in folders]  # noqa: SIM115  # open as long as the process lives
    for folder, marker in zip(folders, markers, strict=True):
        fcntl.flock(marker, fcntl.LOCK_EX)
        write_manifest(folder, "in_progress", begin, 0)
    print("ready", flush=True)
    start, count = time.monotonic(), 0
    while True:
        count += 1
        time.sleep(max(0.0, start + count / rate - time.monotonic()))
        tell(folders[count % live], count, begin)


def make(task: Path, begin: datetime) -> Path:
    folder = task / "cli" / f"{begin.strftime('%Y-%m-%dT%H-%M-%S')}-000Z-0"
    (folder / "commands").mkdir(parents=True, exist_ok=True)
    return folder


def tell(folder: Path, count: int, begin: datetime) -> None:
    line = json.dumps({"type": "exec:chunk", "stream": "stdout", "attempt": 1, "timestamp": "", "data": f"line {count}\n"}) + "\n"
    for path in (folder / "runner.ndjson", folder / "commands" / "01-stage-1.ndjson"):
        with path.open("a") as log:
            log.write(line)
    if count % 10 == 0:
        write_manifest(folder, "in_progress", begin, count // 10 % 8)


def write_manifest(folder: Path, status: str, begin: datetime, ended: int) -> None:
    moment = begin.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    words = ["succeeded" if number <= ended else "running" for number in range(1, 9)]
    stages = [{"id": f"stage-{number}", "status": word, "started_at": moment} for number, word in enumerate(words, start=1)]
    manifest = {
        "version": 1, "task_id": "busy", "run_id": folder.name, "pipeline_id": "p", "status": status, "started_at": moment,
        "completed_at": moment if status == "succeeded" else None, "commands": stages,
    }  # fmt: skip
    temp = folder / f"manifest.json.tmp-{time.time_ns()}"
    temp.write_text(json.dumps(manifest, indent=2))
    temp.replace(folder / "manifest.json")


if __name__ == "__main__":
    main()
