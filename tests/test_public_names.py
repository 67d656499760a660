"""The package root: one place to import from, at no cost until a name is used."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import orchestrator_py
from orchestrator_py import errors
from orchestrator_py.model import events

HEAVY = ("anyio", "cattrs", "attrs", "aiofiles", "asyncio")


def _declared() -> dict[str, str]:
    """What type checkers see: name -> the module that it is imported from."""
    tree = ast.parse(Path(orchestrator_py.__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and str(node.module).startswith("orchestrator_py.")]
    return {alias.asname or "": str(node.module) for node in imports for alias in node.names}


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_type_checkers_and_the_interpreter_are_told_the_same_names() -> None:
    assert sorted(_declared()) == sorted(orchestrator_py.__all__)


@pytest.mark.parametrize("name", sorted(orchestrator_py.__all__))
def test_a_public_name_is_the_object_that_its_own_module_defines(name: str) -> None:
    value: object = getattr(orchestrator_py, name)
    assert value is getattr(import_module(_declared()[name]), name)
    assert getattr(value, "__module__", None) == _declared()[name]


def test_every_error_and_every_event_is_public() -> None:
    raised = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert raised | {"Event"} | {kind.__name__ for kind in events.EVENT_TYPES} <= set(orchestrator_py.__all__)


def test_the_names_can_be_listed_before_they_are_loaded() -> None:
    assert set(orchestrator_py.__all__) <= set(_run("import orchestrator_py; print(*dir(orchestrator_py))").split())


def test_importing_the_package_alone_loads_nothing_else() -> None:
    assert _run(f"import sys, orchestrator_py; print(*(m for m in {HEAVY} if m in sys.modules))") == ""


def test_a_star_import_brings_exactly_the_public_names() -> None:
    scope: dict[str, object] = {}
    exec("from orchestrator_py import *", scope)
    assert set(scope) - {"__builtins__"} == set(orchestrator_py.__all__)


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match=r"module 'orchestrator_py' has no attribute 'TaskManger'"):
        getattr(orchestrator_py, "TaskManger")  # noqa: B009 - a name that type checkers must not see


def test_where_processes_cannot_be_grouped_one_sentence_says_so() -> None:
    code = (
        "import sys; sys.platform = 'win32'\n"
        "try:\n    from orchestrator_py import TaskManager\n"
        "except ImportError as error:\n    print(error)"
    )
    assert _run(code) == "orchestrator_py needs Linux or macOS: it relies on process groups and kernel file locks."
