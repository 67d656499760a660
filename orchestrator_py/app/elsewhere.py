"""Commands that run on the workers of a Dask cluster: the connection is made and checked, and a site is given that uses it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator_py.app.pipeline_site import PipelineSite, Workplace
from orchestrator_py.errors import InputError
from orchestrator_py.lean import evolve, field, frozen
from orchestrator_py.model.pipeline import ExecutorKind, ExecutorSettings
from orchestrator_py.stages.command import run_command

if TYPE_CHECKING:
    from distributed import Client

    from orchestrator_py.executors.dask_executor import Placed

WORKER_SECONDS = 60.0
_MISSING = "needs the library `distributed`, which is not installed; install it with: pip install 'orchestrator-py[dask]'"


@frozen(kw_only=True)
class Elsewhere:
    """Where commands are to run, as the call and the configuration have it. `jobs` None: as many as the workers have slots."""

    settings: ExecutorSettings
    jobs: int | None
    workers: int
    insecure: bool = False
    allow_dirty: bool = False
    environment: Mapping[str, str] = field(factory=dict, repr=False)

    @asynccontextmanager
    async def opened(self, site: PipelineSite, placed: "Placed") -> AsyncIterator[PipelineSite]:
        """A site whose commands run there. InputError says why it cannot be trusted with them, before anything is started."""
        try:
            from orchestrator_py.executors.dask_executor import DaskExecutor
            from orchestrator_py.executors.link import Demands
            from orchestrator_py.executors.quiet import quieten

            quieten()
        except ImportError as error:
            raise InputError(f"--executor {self.settings.kind.value} {_MISSING}.") from error
        root, layout = self.settings.remote_root or str(site.settings.layout.root), site.settings.layout
        demands = Demands(
            insecure=self.insecure,
            root=root,
            local_root=str(layout.root),
            allow_dirty=self.allow_dirty,
            resources=self.settings.worker_resources,
        )
        async with AsyncExitStack() as stack:
            client = await self._connect(stack)
            executor = await stack.enter_async_context(DaskExecutor(client, demands=demands, runner=run_command))
            executor.placed = placed
            jobs = max(1, min(executor.slots, self.jobs or executor.slots))
            workplace = Workplace(runner=executor.run_command, root=Path(root), environment=self.environment)
            yield evolve(site, settings=evolve(site.settings, jobs=jobs), workplace=workplace)

    async def _connect(self, stack: AsyncExitStack) -> "Client":
        from distributed import Client

        from orchestrator_py.executors.addresses import refuse_plain
        from orchestrator_py.executors.client import CONNECT_SECONDS, close_client

        address = await self._address(stack)
        refuse_plain(address, "Scheduler", insecure=self.insecure)
        client: Client = Client(address, asynchronous=True, set_as_default=False, timeout=CONNECT_SECONDS, security=self._security())
        stack.push_async_callback(close_client, client)
        try:
            await client
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            raise InputError(f"No scheduler answers at {address} ({_brief(error)}); start one, or name another with --scheduler.") from None
        engine: Any = client  # its annotations are those of a client that is not asynchronous
        try:
            await engine.wait_for_workers(self._wanted, timeout=WORKER_SECONDS)
        except TimeoutError:
            raise InputError(f"Scheduler {address} has no worker; start one with: dask worker {address}") from None
        return client

    @property
    def _wanted(self) -> int:
        """All of our own workers; of a cluster that others run, any."""
        return self.workers if self.settings.kind is ExecutorKind.DASK_LOCAL else 1

    async def _address(self, stack: AsyncExitStack) -> str:
        if self.settings.kind is ExecutorKind.DASK_LOCAL:
            from orchestrator_py.executors.local_cluster import local_cluster

            return _read_address(await stack.enter_async_context(local_cluster(self.workers)))
        if self.settings.scheduler_file is not None:
            return _read_address(self.settings.scheduler_file)
        if self.settings.scheduler is not None:
            return self.settings.scheduler
        raise InputError("--executor dask needs a scheduler; name it with --scheduler ADDRESS or --scheduler-file FILE.")

    def _security(self) -> object:
        from distributed.security import Security

        settings = self.settings
        if settings.tls_ca_file is settings.tls_cert is settings.tls_key is None:
            return None
        for name, value in (("--tls-ca-file", settings.tls_ca_file), ("--tls-cert", settings.tls_cert), ("--tls-key", settings.tls_key)):
            if value is None:
                raise InputError(f"{name} is missing; TLS needs --tls-ca-file, --tls-cert and --tls-key.")
            if not Path(value).is_file():
                raise InputError(f"{value}: there is no such file; name it with {name}.")
        return Security(
            tls_ca_file=settings.tls_ca_file, tls_client_cert=settings.tls_cert, tls_client_key=settings.tls_key, require_encryption=True
        )


def _read_address(file: str) -> str:
    import json

    try:
        address = json.loads(Path(file).read_bytes())["address"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file}: cannot be read as a scheduler file ({_brief(error)}); name one that a scheduler has written.") from None
    return str(address)


def _brief(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
