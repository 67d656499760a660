"""The reference and our runs are made once a session; without node or a registry the folder is skipped, and says why."""

from pathlib import Path

import pytest

from tests.reference.our_runs import GROUP_OF_TWO, KINDS, Workspace
from tests.reference.published import NotAvailableError, Published, install_published


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    try:
        return Published(install_published(), home=tmp_path_factory.mktemp("home"))
    except NotAvailableError as error:
        pytest.skip(f"the reference implementation cannot be asked: {error}")


@pytest.fixture
def workspace(tmp_path: Path, published: Published) -> Workspace:
    """An empty folder of its own."""
    return Workspace.create(tmp_path / "ours")


@pytest.fixture(scope="session")
def finished(published: Published, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, dict[str, str]]:
    """One run of every kind in one folder: the folder, and kind -> run id. Tests only read it."""
    workspace = Workspace.create(tmp_path_factory.mktemp("finished"))
    runs = {kind: workspace.run(kind) for kind in KINDS}
    runs["group"] = workspace.run("parallel", **GROUP_OF_TWO)
    runs["cancelled"] = workspace.cancelled_run()
    return workspace, runs
