"""One run of doit over so many tasks of so many actions that do nothing: `doit_tasks.py SPEC`, with doit's own interpreter."""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from time import perf_counter


def main() -> None:
    spec = json.loads(sys.argv[1])

    def task_subtask() -> Iterator[dict[str, object]]:
        for place in range(spec["subtasks"]):
            yield {"name": str(place), "actions": [lambda: None] * spec["calls"]}

    commands = import_module("doit.doit_cmd")
    loader = import_module("doit.cmd_base").ModuleTaskLoader({"task_subtask": task_subtask})
    began = perf_counter()
    code = commands.DoitMain(loader).run(["run", "--reporter", "error-only"])
    print(json.dumps({"seconds": perf_counter() - began}))
    sys.exit(code)


if __name__ == "__main__":
    main()
