"""One watch for all that runs in an event loop: it tells of each descriptor, and is open only as long as there is one."""

import os
from collections.abc import AsyncIterator

import pytest
from attrs import define, field

from orchestrator_py.stages.watch import Watch, running_watch
from tests.stages.running import open_descriptors, run, until


@define
class Pipe:
    """What is read of it by the watch."""

    reader: int
    writer: int
    watch: Watch
    heard: list[bytes] = field(factory=list)

    def read(self) -> None:
        self.heard.append(os.read(self.reader, 1))


@pytest.fixture
async def pipes() -> AsyncIterator[list[Pipe]]:
    watch = running_watch()
    made = [Pipe(*os.pipe(), watch) for _ in range(3)]
    yield made
    for pipe in made:
        os.close(pipe.reader)
        os.close(pipe.writer)


async def test_each_descriptor_has_its_own_ear_as_long_as_it_can_be_read(pipes: list[Pipe]) -> None:
    for pipe in pipes:
        pipe.watch.add(pipe.reader, pipe.read)
    for pipe, text in zip(pipes, (b"ab", b"", b"c"), strict=True):
        os.write(pipe.writer, text)
    await until(lambda: [pipe.heard for pipe in pipes] == [[b"a", b"b"], [], [b"c"]])
    for pipe in pipes:
        pipe.watch.remove(pipe.reader)


async def test_what_is_not_watched_any_more_is_not_told(pipes: list[Pipe]) -> None:
    first, second, _ = pipes
    first.watch.add(first.reader, first.read)
    second.watch.add(second.reader, second.read)
    first.watch.remove(first.reader)
    os.write(first.writer, b"a")
    os.write(second.writer, b"b")
    await until(lambda: second.heard == [b"b"])
    assert first.heard == []
    second.watch.remove(second.reader)


async def test_it_is_one_for_the_loop_and_leaves_nothing_open(pipes: list[Pipe]) -> None:
    before = open_descriptors()
    pipe = pipes[0]
    for _ in range(2):
        pipe.watch.add(pipe.reader, pipe.read)
        assert running_watch() is pipe.watch
        assert open_descriptors() == before + 1
        pipe.watch.remove(pipe.reader)
        assert open_descriptors() == before
    assert running_watch() is pipe.watch


async def test_a_command_shares_it_with_what_is_watched_already() -> None:
    pipe = Pipe(*os.pipe(), running_watch())
    pipe.watch.add(pipe.reader, pipe.read)
    try:
        assert (await run("echo said; exit 3")).exit_code == 3
        assert running_watch() is pipe.watch
    finally:
        pipe.watch.remove(pipe.reader)
        os.close(pipe.reader)
        os.close(pipe.writer)
