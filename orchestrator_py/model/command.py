"""A command before it runs: everything that whoever runs it has to know."""

from collections.abc import Mapping
from pathlib import Path

from orchestrator_py.ids import RunId, SubtaskId
from orchestrator_py.lean import frozen


@frozen(kw_only=True)
class CommandSpec:
    """What to run. `command` is handed to the shell, `stdin_text` None is an empty input.

    `env` is the whole environment where we run it ourselves; elsewhere it is added to what is there. `correlation_id` joins the events of
    one run of the command, an empty one is replaced by a new one; `session_id` is the name that the stage gives to its session. `wrapper`
    are the words of a program that starts the shell.
    The rest is for whoever runs it elsewhere: for which subtask of which run, and what it `asks` of the machine, by name.
    """

    command: str
    cwd: Path
    env: Mapping[str, str]
    stdin_text: bytes | None = None
    attempt: int = 1
    session_id: str | None = None
    correlation_id: str = ""
    wrapper: tuple[str, ...] = ()
    run_id: RunId | None = None
    subtask_id: SubtaskId | None = None
    asks: tuple[str, ...] = ()
