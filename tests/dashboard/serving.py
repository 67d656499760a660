"""The dashboard as people start it: `serve` in a process of its own, asked over HTTP."""

import json
import os
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

from attrs import define

from tests.cli.running import NOTHING, PATIENCE_SECONDS, Data, Finished, as_object, finish, start


@define
class Served:
    """A dashboard that is up; `address` ends with a slash."""

    address: str
    folder: Path
    pid: int

    @property
    def port(self) -> int:
        port = urlsplit(self.address).port
        assert port is not None
        return port

    def sockets(self) -> int:
        """How many it has open."""
        found = 0
        for one in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                found += os.readlink(one).startswith("socket:")
        return found

    def ask(
        self, path: str, headers: Mapping[str, str] = NOTHING, method: str = "GET", body: str = ""
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Status, body, headers in lower case."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, body or None, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()

    def read(self, path: str) -> Data:
        status, body, _ = self.ask(path)
        assert status == 200, body
        return as_object(json.loads(body))

    @contextmanager
    def stream(self, query: str = "") -> "Iterator[Stream]":
        """The live stream, from its `ready` on."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        connection.request("GET", f"/api/events{query}")
        try:
            stream = Stream(connection.getresponse())
            assert stream.answer.status == 200
            stream.wait_for("ready")
            yield stream
        finally:
            connection.close()


@define
class Stream:
    """Events as they come; waiting for one passes over others."""

    answer: HTTPResponse

    def next(self) -> tuple[str, Data]:
        kind = ""
        while line := self.answer.readline():
            name, _, value = line.decode().strip().partition(": ")
            if name == "event":
                kind = value
            if name == "data" and kind:
                return kind, as_object(json.loads(value))
        raise AssertionError("the stream has ended")

    def wait_for(self, wanted: str) -> Data:
        while True:
            kind, data = self.next()
            if kind == wanted:
                return data

    def words_of(self, run_id: str, until: str) -> list[str]:
        """What the rows of a run say, one after the other, until it is that word."""
        words: list[str] = []
        while until not in words:
            rows = self.wait_for("runs")["runs"]
            assert isinstance(rows, list)
            words += [row["status"] for row in rows if row["run_id"] == run_id]
        return words


@contextmanager
def serving(folder: Path, *arguments: str, port: int = 0, variables: Mapping[str, str] = NOTHING) -> Iterator[Served]:
    """`serve` over the folder; ended with SIGINT at the end of the block, by which it has to die."""
    process = start(folder, "serve", "--port", str(port), *arguments, variables=variables)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address:
            raise AssertionError(finish(process))
        yield Served(address, folder, process.pid)
        process.send_signal(signal.SIGINT)
        finished = finish(process)
        assert finished.code == -signal.SIGINT, finished
        assert all(line.startswith("orchestrator-py: ") for line in finished.stderr.splitlines()), finished.stderr
    finally:
        process.kill()
        process.communicate()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def refused(folder: Path, *arguments: str, variables: Mapping[str, str] = NOTHING) -> Finished:
    """A `serve` that does not begin."""
    return finish(start(folder, "serve", *arguments, variables=variables))
