"""What else there is for the work: which version is held against us, where it lies, and how it is installed, apart from the repository."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from bench.errors import BenchError

INSTALL_SECONDS = 600


@frozen(kw_only=True)
class Peer:
    """`program` is what must be there, relative to the folder of the peers, or the name of a program of the system."""

    name: str
    what: str
    program: str
    install: Sequence[Sequence[str]] = ()
    of_the_system: bool = False

    def is_installed(self, folder: Path) -> bool:
        """Whether it can be measured."""
        return shutil.which(self.program) is not None if self.of_the_system else (folder / self.program).exists()

    def commands(self, folder: Path) -> list[list[str]]:
        """How to install it below that folder."""
        return [[word.replace("FOLDER", str(folder)) for word in command] for command in self.install]


def _python_peer(name: str, version: str, what: str) -> Peer:
    home = f"FOLDER/{name}-{version}"
    return Peer(
        name=name,
        what=f"{what}, {version} from PyPI",
        program=f"{name}-{version}/bin/python",
        install=((sys.executable, "-m", "venv", home), (f"{home}/bin/python", "-m", "pip", "install", "-q", f"{name}=={version}")),
    )


REFERENCE_VERSION = "0.2.1"
_REFERENCE_NAME = f"@kbediako/codex-orchestrator@{REFERENCE_VERSION}"
_REFERENCE_HOME = f"reference-{REFERENCE_VERSION}"
REFERENCE_PACKAGE = f"{_REFERENCE_HOME}/node_modules/@kbediako/codex-orchestrator"

REFERENCE = Peer(
    name="reference",
    what=f"the reference implementation, {_REFERENCE_NAME} from npm; needs node 20",
    program=f"{REFERENCE_PACKAGE}/package.json",
    install=(
        ("mkdir", "-p", f"FOLDER/{_REFERENCE_HOME}"),
        ("npm", "install", "--prefix", f"FOLDER/{_REFERENCE_HOME}", "--ignore-scripts", "--no-audit", "--no-fund", _REFERENCE_NAME),
    ),
)
DOIT = _python_peer("doit", "0.37.0", "a task runner in Python")
TASKIQ = _python_peer("taskiq", "0.13.0", "an asyncio task queue, with its broker in memory")
MAKE = Peer(name="make", what="the system's make", program="make", of_the_system=True)

PEERS: Mapping[str, Peer] = {peer.name: peer for peer in (REFERENCE, DOIT, TASKIQ, MAKE)}


def default_folder() -> Path:
    """Outside the repository: $ORCHESTRATOR_PY_BENCH, else below the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("ORCHESTRATOR_PY_BENCH") or Path(cache) / "orchestrator-py-bench")


def install(peer: Peer, folder: Path) -> None:
    """Raises BenchError if it cannot be installed."""
    folder.mkdir(parents=True, exist_ok=True)
    for command in peer.commands(folder):
        try:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            told = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
            raise BenchError(f"{peer.name}: `{' '.join(command)}` failed: {str(told)[-300:].strip()}") from error
