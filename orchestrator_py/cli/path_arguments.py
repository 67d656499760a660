"""The words that say where things are, as all commands have them."""

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import ArgumentParser


def add_record_place(command: "ArgumentParser") -> None:
    """Where to find what is on record."""
    command.add_argument("--root", type=path, metavar="DIR", help="the repository (CODEX_ORCHESTRATOR_ROOT, else where it is found)")
    command.add_argument("--runs-dir", type=path, metavar="DIR", help="where runs are (CODEX_ORCHESTRATOR_RUNS_DIR, else .runs)")
    command.add_argument("--out-dir", type=path, metavar="DIR", help="where state is (CODEX_ORCHESTRATOR_OUT_DIR, else out)")


def path(text: str) -> str:
    """An empty one is a shell variable that is not set; what is meant is anybody's guess."""
    if not text:
        raise unfit("the path is empty")
    return text


def unfit(message: str) -> Exception:
    """What the type of a word raises if it refuses what it is given."""
    from argparse import ArgumentTypeError

    return ArgumentTypeError(message)
