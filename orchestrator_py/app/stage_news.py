"""An ear at the logs of a run's stages: what is written there is told as well, if anybody has words for it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Self

from orchestrator_py.core.run_stream import HEARD, StageNews
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import define, field, frozen
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

    def open_stage(self, *, index: int, stage_id: str) -> "_HeardLog":
        return _HeardLog(logs=self, opening=self.logs.open_stage(index=index, stage_id=stage_id), index=index, stage_id=stage_id)


@define(kw_only=True, eq=False)
class _HeardLog:
    """Tells of lines when they are written. Used as `async with`, as the log that it stands for."""

    logs: HeardLogs
    opening: AbstractAsyncContextManager[StageLog]
    index: int
    stage_id: str
    _log: StageLog = field(init=False)

    async def append(self, *events: Mapping[str, object]) -> None:
        await self._log.append(*events)
        for event in events:
            if event["type"] in HEARD:
                self.logs.ear(self._news(event))

    def _news(self, event: Mapping[str, object]) -> StageNews:
        logs = self.logs
        return StageNews(
            timestamp=logs.clock.now(),
            task_id=logs.task_id,
            run_id=logs.run_id,
            index=self.index,
            stage_id=self.stage_id,
            event=event,
        )

    async def __aenter__(self) -> Self:
        self._log = await self.opening.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> bool | None:
        return await self.opening.__aexit__(*error)
