"""One cluster for all tests that leave it as it is."""

from collections.abc import AsyncIterator, Iterator

import pytest
from distributed import Client

from orchestrator_py.executors.dask_executor import DaskExecutor
from orchestrator_py.stages.command import run_command
from tests.executors.cluster import Cluster, connected, running_cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers, each with two slots; w1 offers one unit of `gpu`."""
    with running_cluster(tmp_path_factory.mktemp("dask"), workers=1) as cluster:
        cluster.add_worker("--resources", "gpu=1")
        cluster.meet_workers()
        yield cluster


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[Client]:
    """Ours, connected to the shared cluster."""
    async with connected(cluster) as client:
        yield client


@pytest.fixture
async def executor(client: Client) -> AsyncIterator[DaskExecutor]:
    async with DaskExecutor(client, runner=run_command) as executor:
        yield executor
