"""`init`: looks at the repository and writes a configuration to start from. Never writes over one that exists."""

import os
import re
import tomllib
from argparse import Namespace
from pathlib import Path

from orchestrator_py.cli.console import print_lines
from orchestrator_py.cli.folders import CONFIG_NAME
from orchestrator_py.cli.workspace import find_new_root
from orchestrator_py.core.json_text import parse_json, pretty_json
from orchestrator_py.core.starter import Repository, starter_configuration
from orchestrator_py.errors import InputError, StoreError

_TARGET = re.compile(rb"^([A-Za-z0-9][\w.-]*)\s*:(?!=)", re.MULTILINE)
_LARGEST = 1 << 20
_LOCKS = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lockb": "bun"}


def init(arguments: Namespace) -> int:
    """The exit code."""
    root = find_new_root(arguments)
    text = f"{pretty_json(starter_configuration(look_at(root)))}\n"
    if arguments.dry_run:
        return print_lines(text.splitlines(), 0)
    _write_new(root / CONFIG_NAME, text)
    return print_lines(
        [f"wrote {root / CONFIG_NAME}", "see what would run:  orchestrator-py plan", "run it:              orchestrator-py run"], 0
    )


def look_at(root: Path) -> Repository:
    """What the files of the repository say can be run. A file that cannot be read or understood says nothing."""
    project = _toml(root / "pyproject.toml")
    tools = _table(project, "tool")
    return Repository(
        make_targets=frozenset(name.decode() for name in _TARGET.findall(_bytes(root / "Makefile"))),
        node_scripts=frozenset(_table(_json(root / "package.json"), "scripts")),
        manager=next((manager for lock, manager in _LOCKS.items() if (root / lock).exists()), "npm"),
        python_tools=frozenset(_python_tools(root, tools)),
        runner="uv run " if (root / "uv.lock").exists() else "",
        rust=(root / "Cargo.toml").exists(),
    )


def _python_tools(root: Path, tools: dict[str, object]) -> set[str]:
    """Tools that are configured; tests that lie where pytest looks for them count too."""
    found = set(tools) & {"ruff", "mypy", "pytest"}
    files = {"ruff.toml": "ruff", ".ruff.toml": "ruff", "mypy.ini": "mypy", "pytest.ini": "pytest"}
    found |= {tool for name, tool in files.items() if (root / name).exists()}
    is_python = any((root / name).exists() for name in ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt"))
    return found | ({"pytest"} if is_python and (root / "tests").is_dir() else set())


def _write_new(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        raise InputError(f"{path} exists already and was left as it is; --dry-run prints what init would write.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot create it: {error.strerror}. Check the folder and its permissions.") from None
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        path.unlink(missing_ok=True)  # half of a file would keep the next init from writing it
        raise StoreError(f"{path}: cannot write it: {error.strerror}. Make room, and run init again.") from None


# Looking into files that may hold anything -------------------------------------------------------------------------


def _bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError:
        return b""


def _toml(path: Path) -> object:
    try:
        return tomllib.loads(_bytes(path).decode())
    except (ValueError, RecursionError):
        return {}


def _json(path: Path) -> object:
    try:
        return parse_json(_bytes(path).decode())
    except ValueError:
        return {}


def _table(data: object, key: str) -> dict[str, object]:
    table = data.get(key) if isinstance(data, dict) else None
    return table if isinstance(table, dict) else {}
