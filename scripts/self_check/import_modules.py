"""Imports every module of the installed package, and reads every public name."""

import pkgutil
import sys
from importlib import import_module

import orchestrator_py


def main() -> int:
    names = [module.name for module in pkgutil.walk_packages(orchestrator_py.__path__, "orchestrator_py.")]
    for name in names:
        if not name.endswith(".__main__"):
            import_module(name)
    for name in orchestrator_py.__all__:
        getattr(orchestrator_py, name)
    print(f"{len(names)} modules, {len(orchestrator_py.__all__)} public names")
    return 0 if names else 1


if __name__ == "__main__":
    sys.exit(main())
