"""Slots of the engine: given back when nobody waits, used again while somebody does, and reached one way or another."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from anyio import fail_after

from orchestrator_py.executors.dask_executor import DaskExecutor
from orchestrator_py.executors.link import Link
from orchestrator_py.executors.local_cluster import local_cluster
from orchestrator_py.stages.command import run_command
from orchestrator_py.store.event_log import MemoryStageLog
from tests.executors.test_commands import run, spec_of
from tests.stages.running import PATIENCE_SECONDS, said, until


async def test_every_slot_is_free_for_others_when_the_work_is_done(client: Any, executor: DaskExecutor, tmp_path: Path) -> None:
    await asyncio.gather(*(run(executor, spec_of("true", tmp_path)) for _ in range(20)))
    with fail_after(PATIENCE_SECONDS):
        others = [client.submit(os.getpid, pure=False, key=f"other-{number}") for number in range(8)]
        assert len(set(await client.gather(others))) == 2
        await until(lambda: not executor._places.known)


async def test_work_that_waits_takes_over_the_slot_of_work_that_has_ended(executor: DaskExecutor, tmp_path: Path) -> None:
    waiting = [asyncio.ensure_future(run(executor, spec_of(f"echo {number}", tmp_path))) for number in range(40)]
    await until(lambda: any(place.works > 1 for place in executor._places.known.values()))
    ends = await asyncio.gather(*waiting)
    assert [end.stdout.text for end in ends] == [f"{number}\n" for number in range(40)]


async def test_workers_that_cannot_be_reached_are_spoken_to_through_the_scheduler(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable(*_: object) -> bool:
        return False

    monkeypatch.setattr(Link, "_reaches", unreachable)
    log = MemoryStageLog()
    async with DaskExecutor(client, runner=run_command) as executor:
        assert executor._link._direct == set()
        end = await run(executor, spec_of("seq 100000; exit 3", tmp_path), log)
    assert (end.exit_code, said(log).count("\n")) == (3, 100_000)


async def test_the_cluster_of_a_call_listens_on_loopback_alone() -> None:
    with fail_after(PATIENCE_SECONDS):
        async with local_cluster(1) as file:
            folder = Path(file).parent
            await until(lambda: len(_listening(folder)) >= 4)  # two of the scheduler, one at least of the nanny and of its worker
            assert {address.partition(":")[0] for address in _listening(folder)} == {"0100007F"}


def _listening(folder: Path) -> list[str]:
    """Addresses, as the kernel writes them, on which processes that were started for this folder accept connections."""
    sockets = {name for process in Path("/proc").iterdir() if process.name.isdigit() for name in _sockets(process, folder)}
    lines = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    return [words[1] for words in lines if words[3] == "0A" and words[9] in sockets]


def _sockets(process: Path, folder: Path) -> list[str]:
    try:
        started = str(folder) in Path(f"/proc/{os.getsid(int(process.name))}/cmdline").read_text()
        links = [os.readlink(link) for link in (process / "fd").iterdir()] if started else []
    except OSError:
        return []
    return [link[len("socket:[") : -1] for link in links if link.startswith("socket:[")]
