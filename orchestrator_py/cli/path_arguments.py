"""The words that say where things are, as all commands have them."""

import argparse


def add_record_place(command: argparse.ArgumentParser) -> None:
    """Where to find what is on record."""
    command.add_argument("--root", type=path, metavar="DIR", help="the repository (CODEX_ORCHESTRATOR_ROOT, else where it is found)")
    command.add_argument("--runs-dir", type=path, metavar="DIR", help="where runs are (CODEX_ORCHESTRATOR_RUNS_DIR, else .runs)")
    command.add_argument("--out-dir", type=path, metavar="DIR", help="where state is (CODEX_ORCHESTRATOR_OUT_DIR, else out)")


def path(text: str) -> str:
    """An empty one is a shell variable that is not set; what is meant is anybody's guess."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    return text
