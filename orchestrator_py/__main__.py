"""`python -m orchestrator_py` and the script `orchestrator-py`. Nothing is imported here that `--help` does not need."""

import gc
import signal
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the answer is the exit code."""
    if sys.platform == "win32":
        print("orchestrator-py needs Linux or macOS: it relies on process groups and kernel file locks.", file=sys.stderr)
        return 2
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Until a run takes signals over, Ctrl-C ends the program as it ends any other: by the signal, without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        # Some parents leave it so. The kernel would drop how children end, and what is lost reads as success or as a crash.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    gc.disable()  # until the command has been imported: what an import makes stays
    try:
        from orchestrator_py.cli.main import run_command_line

        return run_command_line(sys.argv[1:] if arguments is None else arguments)
    finally:
        gc.enable()
        if arguments is None:
            gc.freeze()  # the process ends: nobody has to look for what goes with it


if __name__ == "__main__":
    sys.exit(main())
