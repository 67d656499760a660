"""One shell command from its start to its end: its output goes to the log as it comes, the facts of its end come back."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from datetime import timedelta

from anyio import CancelScope
from anyio.lowlevel import checkpoint_if_cancelled

from orchestrator_py.core.command_summary import begin_events, end_events
from orchestrator_py.lean import define, field
from orchestrator_py.model.command import CommandSpec
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.grace import Grace
from orchestrator_py.ports import Clock, Hear, StageLog
from orchestrator_py.stages.conversation import Conversation
from orchestrator_py.stages.process_group import start_process_group


async def run_command(
    spec: CommandSpec,
    log: StageLog,
    *,
    clock: Clock,
    grace: Grace,
    hear: Hear | None = None,
    while_running: Callable[[int], AbstractContextManager[object]] = nullcontext,
) -> Execution:
    """Runs the command in its own process group until it ends, or until the caller is cancelled.

    Cancelled, the whole group gets SIGTERM, when `grace` is over SIGKILL, and the call then *returns*, with `stopped` set: the facts
    are worth more than the exception, and a cancelled anyio scope delivers it again at the next await. (A bare
    `asyncio.Task.cancel()` is answered in the same way, and nothing delivers that one twice: look at `stopped`.) Cancelled
    before the start, nothing was started and the cancellation goes through.

    The end is that of the process, not of its pipes: what a left-over child of a finished command holds open is read for
    another half second at most. Such a child is left alone, since a command may start a daemon; only a stop ends the whole group.

    `while_running` is given the group's number and entered as long as the command runs.

    StoreError from the log ends the command at once and goes through.
    """
    await checkpoint_if_cancelled()
    record = _Record(log=log, spec=spec, hear=hear)
    await record.begin()
    started_at = clock.monotonic()
    try:
        group = start_process_group(spec.command, cwd=spec.cwd, env=spec.env, with_stdin=spec.stdin_text is not None, wrapper=spec.wrapper)
    except (OSError, ValueError) as error:
        execution = Execution(spawn_error=_explain(error))
    else:
        with closing(group), while_running(group.process.pid):
            conversation = Conversation(group=group, put=record.chunk, stdin=spec.stdin_text or b"")
            execution = await conversation.run(grace=grace, elapsed=lambda: timedelta(seconds=clock.monotonic() - started_at))
    with CancelScope(shield=True):
        await record.end(execution)
    return execution


@define(eq=False, kw_only=True)
class _Record:
    """The events of one command, in the contract's shape."""

    log: StageLog
    spec: CommandSpec
    hear: Hear | None
    sequence: int = 0
    correlation_id: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.correlation_id = self.spec.correlation_id or os.urandom(16).hex()

    async def begin(self) -> None:
        await self.log.append(*begin_events(self.spec, self.correlation_id))

    async def chunk(self, stream: str, text: str, size: int) -> None:
        """`size` is the number of bytes that became `text`."""
        self.sequence += 1
        await self.log.append(self._event("exec:chunk") | {"stream": stream, "sequence": self.sequence, "bytes": size, "data": text})
        if self.hear is not None:
            self.hear(text)

    async def end(self, execution: Execution) -> None:
        await self.log.append(*end_events(self.spec, self.correlation_id, execution))

    def _event(self, kind: str) -> dict[str, object]:
        return {"type": kind, "correlation_id": self.correlation_id, "attempt": self.spec.attempt}


def _explain(error: OSError | ValueError) -> str:
    """Why the command could not be started, with the file or folder that was to blame."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)
