"""The manager's connection to a scheduler: checked when it is made, and lost for good when it is lost once."""

import asyncio
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from orchestrator_py.errors import InputError
from orchestrator_py.executors.addresses import refuse_plain
from orchestrator_py.executors.survey import Folder, look_at, refuse_folder, refuse_versions
from orchestrator_py.executors.wire import OPERATION, Reply
from orchestrator_py.lean import define, field, frozen

if TYPE_CHECKING:
    from distributed import Client

Arrival = Mapping[str, str]
_REACH_SECONDS = 2.0
_PROBE_SECONDS = 0.05


@frozen(kw_only=True)
class Demands:
    """What a scheduler and its workers have to fulfil. `root` None: nothing is asked of their folders.

    `resources` tells how many units of which resource of a worker stand behind a name that stages or pipelines use.
    """

    insecure: bool = False
    root: str | None = None
    local_root: str | None = None
    allow_dirty: bool = False
    resources: Mapping[str, float] = field(factory=dict)


@frozen(kw_only=True)
class Worker:
    """One worker as the scheduler describes it."""

    address: str
    name: str
    slots: int
    resources: Mapping[str, float]

    @property
    def label(self) -> str:
        """What people call it."""
        return self.address if self.name in ("", self.address) else f"{self.name} ({self.address})"


@define(eq=False)
class Link:
    """Speaks to workers: directly to those that can be reached, to the others through the scheduler.

    `arrived` is called when the engine has given us a place.
    """

    client: "Client"
    demands: Demands
    arrived: Callable[[Arrival], object]
    topic: str = field(factory=lambda: f"orchestrator-py-{uuid4().hex}", init=False)
    workers: tuple[Worker, ...] = field(default=(), init=False)
    _ours: Folder = field(default=Folder(exists=False), init=False)
    known: set[str] = field(factory=set, init=False)
    _direct: set[str] = field(factory=set, init=False)
    _stream: object = field(default=None, init=False)

    @property
    def lost(self) -> bool:
        """The connection was lost: what the scheduler, or another in its place, says afterwards is about something else.

        A client that has connected again is known by its new stream.
        """
        return self.client.status != "running" or self.client.scheduler_comm is not self._stream

    async def lost_within(self, seconds: float) -> None:
        """Returns when it is lost, or when the time is over."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not self.lost and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - the client sets no event
            await asyncio.sleep(_PROBE_SECONDS)

    @property
    def slots(self) -> int:
        """How many things the workers do at a time."""
        return sum(worker.slots for worker in self.workers)

    @property
    def _scheduler(self) -> Any:
        """The scheduler's procedures, under any name."""
        return self.client.scheduler

    async def open(self) -> None:
        """Checks scheduler and workers; InputError names what does not fit, and the remedy."""
        if self.client.status != "running":
            raise InputError(f"The client is {self.client.status}; give one that is connected.")
        self._stream = self.client.scheduler_comm
        refuse_plain(self._scheduler.address, "Scheduler", insecure=self.demands.insecure)
        await self._refuse_repeating()
        if self.demands.local_root is not None:
            self._ours = await asyncio.to_thread(look_at, self.demands.local_root)
        self.workers = await self.list_workers()
        try:
            await asyncio.gather(*(self.inspect(worker) for worker in self.workers))
        except OSError as error:
            raise InputError(f"A worker was lost when it was asked what it is ({error}); look after the cluster, and try again.") from None
        self._refuse_missing_resources()
        self.client.subscribe_topic(self.topic, lambda event: self.arrived(event[1]))

    def close(self) -> None:
        """The scheduler forgets that we listen; the client stays as it is."""
        if not self.lost:
            self.client.unsubscribe_topic(self.topic)

    async def list_workers(self) -> tuple[Worker, ...]:
        """Those that the scheduler has now."""
        with _as_os_error():
            identity = await self._scheduler.identity(n_workers=-1)
        return tuple(
            Worker(address=address, name=str(found["name"]), slots=int(found["nthreads"]), resources=dict(found["resources"]))
            for address, found in identity["workers"].items()
        )

    async def inspect(self, worker: Worker) -> None:
        """InputError if the worker is not one that can do our work; asked once for each."""
        if worker.address in self.known:
            return
        refuse_plain(worker.address, "Worker", insecure=self.demands.insecure)
        theirs, folder = await self._survey(worker)
        refuse_versions(worker.label, theirs, self._versions())
        if self.demands.root is not None and folder is not None:
            refuse_folder(worker.label, self.demands.root, folder, self._ours, allow_dirty=self.demands.allow_dirty)
        if await self._reaches(worker.address):
            self._direct.add(worker.address)
        self.known.add(worker.address)

    async def _reaches(self, address: str) -> bool:
        """Whether the worker answers us in person."""
        try:
            async with asyncio.timeout(_REACH_SECONDS):
                await self.client.rpc(address).identity()
        except OSError:
            return False
        return True

    async def ask(self, worker: str, act: str, **more: object) -> Reply:
        """One message to our handler on a worker. OSError if it cannot be reached."""
        with _as_os_error():
            if worker in self._direct:
                reply = await getattr(self.client.rpc(worker), OPERATION)(act=act, **more)
            else:
                message = {"op": OPERATION, "act": act, **more}
                replies = await self._scheduler.broadcast(msg=message, workers=[worker], on_error="return_pickle")
                reply = replies[worker]
        if isinstance(reply, bytes):
            raise OSError(str(pickle.loads(reply)))
        if not isinstance(reply, Mapping) or "known" not in reply:  # it has no such handler: it never had anything of us
            return {"known": False}
        return reply

    async def _survey(self, worker: Worker) -> tuple[Mapping[str, str], Folder | None]:
        """Sent as a whole, not by its name: the worker may have nothing of us."""
        root = self.demands.root

        def survey() -> object:
            import platform

            try:
                from importlib import import_module

                version = import_module("orchestrator_py").__version__
                from orchestrator_py.executors.survey import look_at as look
            except Exception as error:
                return {"problem": f"{type(error).__name__}: {error}"}, None
            python = ".".join(platform.python_version_tuple()[:2])
            return {"orchestrator-py": version, "Python": python}, None if root is None else look(root)

        try:
            found: tuple[Mapping[str, str], Folder | None] = (await self.client.run(survey, workers=[worker.address]))[worker.address]
        except OSError:
            raise
        except Exception as error:  # another Python does not understand the question itself
            raise InputError(
                f"Worker {worker.label} cannot be asked what it is ({type(error).__name__}: {error}); it needs the same Python as we have."
            ) from None
        return found

    def _versions(self) -> dict[str, str]:
        import platform

        return {"orchestrator-py": import_module("orchestrator_py").__version__, "Python": ".".join(platform.python_version_tuple()[:2])}

    async def _refuse_repeating(self) -> None:
        remedy = (
            "start it with DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=0 in its environment (a LocalCluster: with "
            'scheduler_kwargs={"allowed_failures": 0})'
        )
        address = self._scheduler.address
        try:
            allowed = await self.client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.allowed_failures)
        except Exception as error:  # a scheduler may forbid to be asked
            raise InputError(
                f"Scheduler {address} does not say whether it repeats lost work ({error}); {remedy}, and let it be asked."
            ) from None
        if allowed != 0:
            raise InputError(
                f"Scheduler {address} runs the work of a worker that died again, up to {allowed} times, and tells nobody "
                f"(allowed-failures is {allowed}); {remedy}."
            )

    def _refuse_missing_resources(self) -> None:
        for name, units in self.demands.resources.items():
            if self.workers and not any(worker.resources.get(name, 0) >= units for worker in self.workers):
                raise InputError(
                    f"No worker has {units:g} of the resource {name!r}; start one with --resources {name}={units:g}, or do not ask for it."
                )


@contextmanager
def _as_os_error() -> Iterator[None]:
    """A client that was closed meanwhile says so in words of its own."""
    try:
        yield
    except (RuntimeError, AttributeError) as error:
        raise OSError(f"the connection is closed ({error})") from error
