"""A first configuration for a repository, from what its own files say can be run there."""

from collections.abc import Mapping, Sequence

from orchestrator_py.lean import frozen

_MAKE_TARGETS = ("lint", "build", "test", "check", "docs")
_NODE_SCRIPTS = ("lint", "typecheck", "build", "test")
_FIRST = "build"
_AFTERWARDS = "test"


@frozen(kw_only=True)
class Repository:
    """What was found. `runner` goes before every command of a Python project (`uv run`), `manager` runs scripts of Node (`npm`)."""

    make_targets: frozenset[str] = frozenset()
    node_scripts: frozenset[str] = frozenset()
    manager: str = "npm"
    python_tools: frozenset[str] = frozenset()
    runner: str = ""
    rust: bool = False


def starter_configuration(repository: Repository) -> dict[str, object]:
    """The JSON document: one pipeline `checks`, whose stages run at the same time, tests after what is built."""
    groups = {
        "make": {target: f"make {target}" for target in _MAKE_TARGETS if target in repository.make_targets},
        "node": {script: f"{repository.manager} run {script}" for script in _NODE_SCRIPTS if script in repository.node_scripts},
        "python": _python_commands(repository),
        "rust": _RUST_COMMANDS if repository.rust else {},
    }
    found = {name: commands for name, commands in groups.items() if commands} or {"": _PLACEHOLDER}
    stages = [stage for name, commands in found.items() for stage in _stages(f"{name}-" if len(found) > 1 else "", commands)]
    pipeline = {"id": "checks", "title": "Checks", "parallel": True, "guardrailsRequired": False, "stages": stages}
    return {"defaultPipeline": "checks", "pipelines": [pipeline]}


_RUST_COMMANDS = {
    "format": "cargo fmt --check",
    "lint": "cargo clippy -- -D warnings",
    "build": "cargo build",
    "test": "cargo test",
}
_PLACEHOLDER = {"hello": "echo 'Replace this by a command of your own.'"}


def _python_commands(repository: Repository) -> dict[str, str]:
    known = {"lint": ("ruff", "ruff check ."), "types": ("mypy", "mypy ."), "test": ("pytest", "python -m pytest")}
    return {id: repository.runner + command for id, (tool, command) in known.items() if tool in repository.python_tools}


def _stages(prefix: str, commands: Mapping[str, str]) -> Sequence[dict[str, object]]:
    return [
        {
            "kind": "command",
            "id": f"{prefix}{id}",
            "title": command,
            "command": command,
            **({"needs": [f"{prefix}{_FIRST}"]} if id == _AFTERWARDS and _FIRST in commands else {}),
        }
        for id, command in commands.items()
    ]
