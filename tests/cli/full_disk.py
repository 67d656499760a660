"""What a full disk or a limit on the size of files must end in; as a program, the same on a small file system of its own.

unshare --mount python -m tests.cli.full_disk FOLDER before|while
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.cli.running import Data, Finished, as_object, command, configure_stages, entries, run

STARTED = "echo started >> started"
FILL = "head -c 8000000 /dev/zero > filler; true"


def history(folder: Path) -> bytes:
    return (folder / ".runs" / "0101" / "metrics.json").read_bytes()


def record_what_was_told(folder: Path, finished: Finished) -> Data:
    """The entry of the report, recorded as the report says."""
    entry = as_object(finished.document()["entry"])
    (folder / "entry.json").write_text(json.dumps(entry))
    done = run(folder, "metrics", "record", "entry.json")
    assert done.code == 0, done.stderr
    return entry


def assert_told(finished: Finished, folder: Path, earlier: bytes, *, ran: bool) -> None:
    """Nothing was started; or the verdict and the entry were told. What was there before is as it was."""
    document = finished.document()
    assert finished.code == document["exit_code"] == 74, finished
    assert history(folder) == earlier
    assert ("entry" in document) is ran, finished
    assert not ran or document["outcome"] == "succeeded"


def try_full_disk(folder: Path, *, while_running: bool) -> None:
    configure_stages(folder, command("a", STARTED))
    assert run(folder, "run").code == 0
    earlier = history(folder)
    if while_running:
        configure_stages(folder, command("a", FILL))
    else:
        subprocess.run(["sh", "-c", FILL], cwd=folder, capture_output=True, check=True)
    finished = run(folder, "run", "--format", "json")
    assert "No space left on device" in finished.stderr, finished
    assert_told(finished, folder, earlier, ran=while_running)
    (folder / "filler").unlink()
    told = [record_what_was_told(folder, finished)["run_id"]] if while_running else []
    configure_stages(folder, command("a", STARTED))
    assert run(folder, "run").code == 0
    assert [entry["run_id"] for entry in entries(folder)][1:-1] == told
    assert (folder / "started").read_text().count("started") == 2


if __name__ == "__main__":
    place = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], check=True)
    print("mounted", flush=True)
    try_full_disk(place, while_running=sys.argv[2] == "while")
