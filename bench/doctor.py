"""`doctor`: which peers are installed, and how to have the others."""

import shlex
import sys
from pathlib import Path

from bench.errors import BenchError
from bench.peers import PEERS, install


def doctor(folder: Path, *, installing: bool) -> int:
    """The exit code: 1 if something was to be installed and could not be."""
    failures = 0
    for peer in PEERS.values():
        if installing and peer.install and not peer.is_installed(folder):
            try:
                install(peer, folder)
            except BenchError as error:
                print(error, file=sys.stderr)
                failures += 1
        print(f"{'installed' if peer.is_installed(folder) else 'missing  '}  {peer.name}: {peer.what}")
        if not peer.is_installed(folder):
            for command in peer.commands(folder) or [["install", peer.name, "with your system's packages"]]:
                print(f"           {shlex.join(command)}")
    print(f"the folder of the peers is {folder}; --folder or $ORCHESTRATOR_PY_BENCH name another; --install installs what is missing")
    return 1 if failures else 0
