"""Runs a program under the profiler: `profiled.py FILE -m MODULE ARGUMENTS...`.

The own CPU times of its functions, in all threads, go to FILE as JSON; waiting is not in them, and neither is what other programs take.
"""

import cProfile
import json
import pstats
import runpy
import sys
import threading
from time import thread_time

profiles: list[cProfile.Profile] = []


def profile_thread(*_: object) -> None:
    """Called for the first event of a thread; from there the profiler is called instead."""
    profiles.append(cProfile.Profile(thread_time))
    profiles[-1].enable()


def main() -> None:
    file, dash_m, module, *arguments = sys.argv[1:]
    if dash_m != "-m":
        raise SystemExit("only modules are profiled")
    sys.argv = [module, *arguments]
    if sys.version_info < (3, 12):  # from then on one profiler is all that a process may have
        threading.setprofile(profile_thread)
    profiles.append(cProfile.Profile(thread_time))
    try:
        profiles[0].runcall(runpy.run_module, module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            raise
    finally:
        write(file)


def write(file: str) -> None:
    """[function, calls, milliseconds] of each."""
    stats = pstats.Stats(profiles[0])
    for other in profiles[1:]:
        stats.add(other)
    rows = [(f"{path}:{line} {name}", calls, own * 1000) for (path, line, name), (_, calls, own, *_rest) in stats.stats.items()]  # type: ignore[attr-defined]  # not in the stubs
    with open(file, "w") as out:
        json.dump(rows, out)


if __name__ == "__main__":
    main()
