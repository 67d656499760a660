"""Imports every module of the installed package, and reads every public name."""

import pkgutil
import sys
from importlib import import_module

import orchestrator_py

EXTRAS = {
    *("rich", "junitparser", "shtab", "prometheus_client", "opentelemetry"),
    *("starlette", "sse_starlette", "uvicorn", "watchfiles", "distributed"),
}
"""What a plain installation may lack; a module that needs one of them is imported by nobody there."""


def main() -> int:
    names = [module.name for module in pkgutil.walk_packages(orchestrator_py.__path__, "orchestrator_py.")]
    imported = [name for name in names if not name.endswith(".__main__") and can_import(name)]
    for name in orchestrator_py.__all__:
        getattr(orchestrator_py, name)
    print(f"{len(imported)} of {len(names)} modules, {len(orchestrator_py.__all__)} public names")
    return 0 if names else 1


def can_import(name: str) -> bool:
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in EXTRAS:
            raise
        print(f"{name} needs {missing}, an extra that is not installed")
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
