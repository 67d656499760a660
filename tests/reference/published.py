"""The published reference implementation, installed once outside the repository and called as its users call it."""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

from attrs import frozen

NAME = "@kbediako/codex-orchestrator"
VERSION = "0.2.1"
INSTALL_SECONDS = 90
CALL_SECONDS = 60


class NotAvailableError(Exception):
    """It cannot be had on this machine; the message says why."""


@frozen
class Published:
    """Its package folder, and an environment that knows nothing of the one around the tests."""

    package: Path
    home: Path

    def start(self, root: Path, pipeline: str) -> dict[str, object]:
        """Its own run of a pipeline."""
        return self._call(root, "start", pipeline)

    def status(self, root: Path, run_id: str) -> dict[str, object]:
        """What it says of a run."""
        return self._call(root, "status", "--run", run_id)

    def plan(self, root: Path, pipeline: str) -> dict[str, object]:
        """What it would run."""
        return self._call(root, "plan", pipeline)

    def aggregate(self, root: Path, task_id: str) -> None:
        """Let its aggregation compute every rollup of the task from metrics.json."""
        self._node(root, str(Path(__file__).with_name("aggregate.mjs")), str(self.package), str(root), task_id)

    def document(self, name: str) -> dict[str, object]:
        """A JSON file of the package."""
        return _object((self.package / name).read_text())

    def _call(self, root: Path, *arguments: str) -> dict[str, object]:
        """The JSON document that stands on stdout after the log lines."""
        text = self._node(root, str(self.package / "bin" / "codex-orchestrator.js"), *arguments, "--format", "json")
        return _object(text[f"\n{text}".index("\n{\n") :])

    def _node(self, root: Path, *arguments: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        done = subprocess.run(
            ["node", *arguments], cwd=root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=CALL_SECONDS
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout


def install_published() -> Path:
    """The package's folder, below $ORCHESTRATOR_PY_REFERENCE or else the system's temporary folder. Raises NotAvailableError."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NotAvailableError(f"{program} is not installed")
    default = Path(gettempdir()) / f"orchestrator-py-reference-{VERSION}-{os.getuid()}"
    folder = Path(os.environ.get("ORCHESTRATOR_PY_REFERENCE") or default)
    package = folder / "node_modules" / NAME
    with _alone(folder):
        if not (package / "package.json").is_file():
            _npm_install(folder)
    return package


def _npm_install(folder: Path) -> None:
    command = ["npm", "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", f"{NAME}@{VERSION}"]
    try:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.CalledProcessError as error:
        raise NotAvailableError(f"npm could not install {NAME}@{VERSION}: {str(error.stderr)[-300:]}") from error
    except subprocess.TimeoutExpired as error:
        raise NotAvailableError(f"npm did not install {NAME}@{VERSION} within {INSTALL_SECONDS} s") from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Test sessions beside this one wait here, so that one of them installs."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _object(text: str) -> dict[str, object]:
    data = json.loads(text)
    assert isinstance(data, dict)
    return data
