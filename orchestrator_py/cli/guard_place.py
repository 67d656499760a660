"""Where the guards work, and what they are told: flags, then the environment, then the configuration, if there is one."""

import os
from argparse import Namespace
from datetime import UTC, datetime

from orchestrator_py.cli import folders
from orchestrator_py.cli.console import say
from orchestrator_py.cli.folders import CONFIG_NAME
from orchestrator_py.errors import InputError
from orchestrator_py.guards.budget import Budget
from orchestrator_py.guards.git import Git
from orchestrator_py.model.guard_settings import GuardSettings

TYPE_CHECKING = False  # type checkers read the name; without a configuration nothing of it is needed
if TYPE_CHECKING:
    from orchestrator_py.model.pipeline import Configuration

_LAST_EPOCH = 253_402_300_799 - 86_400  # a day before the calendar ends


def find_root(arguments: Namespace) -> str:
    """The repository: named, or where the configuration is found, else the top of the work tree, else where we are."""
    root = folders.find_root(arguments, os.environ)
    if folders.named_root(arguments, os.environ) or os.path.isfile(os.path.join(root, CONFIG_NAME)):
        return root
    git = Git.at(root)
    return os.path.normpath(os.path.join(root, "../" * git.prefix.count("/"))) if git else root


def read_settings(arguments: Namespace, root: str) -> "Configuration | None":
    """The configuration; None if there is none and nobody has named one. ConfigurationError if it cannot be used."""
    named = arguments.config or os.environ.get("CODEX_ORCHESTRATOR_REPO_CONFIG_PATH")
    path = os.path.abspath(named) if named else os.path.join(root, CONFIG_NAME)
    if not named and not os.path.lexists(path):
        return None
    from pathlib import Path

    from orchestrator_py.store.config_file import read_configuration

    configuration = read_configuration(Path(path))
    for warning in configuration.warnings:
        say(f"warning: {warning}")
    return configuration


def now() -> datetime:
    """The time in UTC; SOURCE_DATE_EPOCH, if it is set, takes its place."""
    said = os.environ.get("SOURCE_DATE_EPOCH")
    if not said:
        return datetime.now(UTC)
    if not (said.isascii() and said.isdigit() and int(said[:20]) <= _LAST_EPOCH):
        raise InputError(f"SOURCE_DATE_EPOCH is {said!r}; set it to seconds since 1970, or unset it.")
    return datetime.fromtimestamp(int(said), UTC)


def named_base(arguments: Namespace, *variables: str) -> str | None:
    """The flag, or the first variable that is set to something. An empty flag is a variable that was not set."""
    if arguments.base is not None:
        return str(arguments.base)
    return next((value for name in variables if (value := os.environ.get(name, ""))), None)


def read_budget(settings: GuardSettings, files: str | None = None, lines: str | None = None) -> Budget:
    """What a change may have: by the flags, the variables, else the configuration. InputError if what was said is no number from 1."""
    return Budget(
        files=_limit(files, "DIFF_BUDGET_MAX_FILES", settings.max_files), lines=_limit(lines, "DIFF_BUDGET_MAX_LINES", settings.max_lines)
    )


def on_github(wanted: bool | None) -> bool:
    """Whether annotations are wanted: as the flag says, else in a workflow."""
    return os.environ.get("GITHUB_ACTIONS") == "true" if wanted is None else wanted


def _limit(flag: str | None, variable: str, configured: int) -> int:
    if flag is not None:
        said, where = flag, "--" + variable.removeprefix("DIFF_BUDGET_").lower().replace("_", "-")
    else:
        said, where = os.environ.get(variable) or "", variable
        if not said:
            return configured
    if said.isascii() and said.isdigit() and len(said) < 10 and int(said):
        return int(said)
    raise InputError(f"{where} is {said!r}; write a whole number from 1.")
