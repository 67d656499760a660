"""An ear at the logs of a run's stages: what is written there is told as well."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from orchestrator_py.core.run_stream import StageNews
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import frozen
from orchestrator_py.ports import Clock, StageLog
from orchestrator_py.stages.agents import StageLogs

Ear = Callable[[StageNews], object]


@frozen(kw_only=True, eq=False)
class HeardLogs:
    """The logs of one run's stages, and who listens to them."""

    logs: StageLogs
    ear: Ear
    clock: Clock
    task_id: TaskId
    run_id: RunId

    @asynccontextmanager
    async def open_stage(self, *, index: int, stage_id: str) -> AsyncIterator[StageLog]:
        async with self.logs.open_stage(index=index, stage_id=stage_id) as log:
            yield _HeardLog(logs=self, log=log, index=index, stage_id=stage_id)


@frozen(kw_only=True, eq=False)
class _HeardLog:
    """Tells of lines when they are written."""

    logs: HeardLogs
    log: StageLog
    index: int
    stage_id: str

    async def append(self, *events: Mapping[str, object]) -> None:
        await self.log.append(*events)
        logs, now = self.logs, self.logs.clock.now()
        for event in events:
            logs.ear(
                StageNews(timestamp=now, task_id=logs.task_id, run_id=logs.run_id, index=self.index, stage_id=self.stage_id, event=event)
            )
