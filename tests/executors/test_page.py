"""The commands on the page about clusters that exist already do what it says, as a reader would type them."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket

from orchestrator_py.app.elsewhere import WORKER_SECONDS
from tests.cli.running import command, configure_stages, only_record
from tests.executors.cluster import PROJECT, wait_until
from tests.test_docs import blocks, environment


def test_a_scheduler_and_workers_that_are_started_as_the_page_says_run_the_pipeline(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("s", "echo $PPID"))
    (page,) = blocks("docs/dask.md", "sh")
    scheduler, worker, run = with_free_ports(page).splitlines()
    with typed(tmp_path, scheduler), typed(tmp_path, worker):
        wait_until(lambda: "Registered to" in (tmp_path / "said").read_text())
        line = run.replace("orchestrator-py", f"'{sys.executable}' -m orchestrator_py", 1)
        done = subprocess.run(
            ["sh", "-c", line], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False, timeout=2 * WORKER_SECONDS
        )
    assert done.returncode == 0, done.stderr
    log = (tmp_path / str(only_record(tmp_path).commands["s"]["log_path"])).read_text()
    assert '"worker":"tcp://127.0.0.1:' in log


def with_free_ports(lines: str) -> str:
    """Each port of the lines becomes one that nobody uses."""
    with socket() as one, socket() as another:
        ports = {}
        for port, free in zip(sorted(set(re.findall(r":(\d+)", lines))), (one, another), strict=True):
            free.bind(("127.0.0.1", 0))
            ports[port] = str(free.getsockname()[1])
    for port, free_port in ports.items():
        lines = lines.replace(port, free_port)
    scheduler, *others = lines.splitlines()
    return "\n".join([f"{scheduler} --port {ports['8786']}", *others])


@contextmanager
def typed(folder: Path, line: str) -> Iterator[None]:
    with (folder / "said").open("ab") as said:
        process = subprocess.Popen(
            ["sh", "-c", line],
            cwd=folder,
            env={**environment(), "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
