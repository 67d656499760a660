"""`/metrics`: the figures of all tasks for Prometheus, read when it scrapes."""

from pathlib import Path

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from orchestrator_py.dashboard.answers import RefusedError, query
from orchestrator_py.dashboard.record import Record
from orchestrator_py.errors import InputError, StoreError
from orchestrator_py.exports.prometheus import Exposition, exposition
from orchestrator_py.exports.task_figures import Memory
from orchestrator_py.ids import TaskId
from orchestrator_py.lean import define, field
from orchestrator_py.store.layout import Layout


@define(eq=False)
class Metrics:
    """The endpoint. What was counted once is remembered: each scrape costs what is new in the histories."""

    record: Record
    _memory: Memory = field(factory=Memory, init=False)

    async def metrics(self, request: Request) -> Response:
        """In the format that the Accept header wants."""
        query(request)
        told = await to_thread.run_sync(self._read, ", ".join(request.headers.getlist("accept")))
        return Response(told.content, headers={"content-type": told.content_type})

    def _read(self, accept: str) -> Exposition:
        runs, out = Path(self.record.runs_root), Path(self.record.out_root)
        tasks = [TaskId(task) for task in self.record.tasks([])]
        try:
            return exposition(Layout(root=runs.parent, runs_root=runs, out_root=out), accept, tasks=tasks, memory=self._memory)
        except InputError as error:
            raise RefusedError(501, str(error)) from None
        except StoreError:
            raise RefusedError(422, "The runs folder cannot be read.") from None
