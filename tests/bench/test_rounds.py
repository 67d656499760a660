"""Every program runs once a round, in turns; the first round is not counted; who fails is left out and told."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import evolve

from bench.errors import BenchError
from bench.measure import measure
from bench.model import CPU, PEAK, WALL, Case, Measured, Place, Sample
from bench.rounds import run_workload, session
from tests.bench.samples import case, workload


def run(*cases: Case, folder: Path, told: list[str], repetitions: int = 2, chosen: tuple[str, ...] = ()) -> Measured:
    with session(folder) as shared:
        return run_workload(workload(*cases), repetitions=repetitions, shared=shared, peers=folder, chosen=chosen, tell=told.append)


def test_each_round_begins_with_another_program_and_the_first_is_not_counted(tmp_path: Path) -> None:
    told: list[str] = []
    done = run(case("a"), case("b"), case("c"), folder=tmp_path, told=told)
    assert [line.rpartition(" ")[2] for line in told] == [*"abc", *"bca", *"cab"]
    assert [set(samples) for samples in done.rounds] == [{"a", "b", "c"}] * 2
    assert all(samples["a"].figures[name] > 0 for samples in done.rounds for name in (WALL, CPU, PEAK))
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_a_program_that_fails_is_left_out_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    done = run(case("a"), case("b", "import sys; sys.exit('no way')"), folder=tmp_path, told=told)
    assert [set(samples) for samples in done.rounds] == [{"a"}] * 2
    assert done.absent == {"b": "b ended with exit code 1: no way"}
    assert told.count("b ended with exit code 1: no way") == 1


@pytest.mark.parametrize("chosen", [(), ("reference",)])
def test_a_peer_that_is_not_chosen_or_not_there_is_not_started(tmp_path: Path, chosen: tuple[str, ...]) -> None:
    done = run(case("a"), case("reference"), folder=tmp_path, told=[], repetitions=1, chosen=chosen)
    assert done.absent == {"reference": "not installed" if chosen else "not chosen"}


def test_of_several_at_once_those_that_fail_are_counted(tmp_path: Path) -> None:
    first_fails = "import os, sys\ntry: os.mkdir('taken')\nexcept OSError: sys.exit(0)\nsys.exit(3)"
    sample = measure(case("a", first_fails, at_once=3), shared=tmp_path, peers=tmp_path)
    assert sample.counts == {"failed": 1}


def test_peak_memory_is_the_program_s_and_not_that_of_whoever_starts_it(tmp_path: Path) -> None:
    ballast = bytearray(os.urandom(1)) * 100_000_000
    small = measure(case("small"), shared=tmp_path, peers=tmp_path)
    large = measure(case("large", "b'x' * 60_000_000"), shared=tmp_path, peers=tmp_path)
    assert small.figures[PEAK] < 30 < 60 < large.figures[PEAK] < 60 + 30 < len(ballast) / 2**20


def test_a_child_s_work_counts_as_the_program_s(tmp_path: Path) -> None:
    work = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(20_000_000))'])"
    assert measure(case("a", work), shared=tmp_path, peers=tmp_path).figures[CPU] > 100


def test_a_case_prepares_its_folder_and_is_told_what_it_printed(tmp_path: Path) -> None:
    def prepare(place: Place) -> None:
        (place.folder / "file").write_text("17")

    def find(place: Place, outputs: Sequence[str]) -> Sample:
        return Sample(figures={"read": float(outputs[0])})

    reading = evolve(case("a", "print(open('file').read())"), prepare=prepare, find=find)
    assert measure(reading, shared=tmp_path, peers=tmp_path).figures["read"] == 17


def test_what_redirects_runs_and_hides_bytecode_is_kept_from_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("CODEX_ORCHESTRATOR_RUNS_DIR", "/elsewhere")
    refuse = "import os, sys; sys.exit(any(name.startswith(('PYTHONDONT', 'CODEX_')) for name in os.environ))"
    measure(case("a", refuse), shared=tmp_path, peers=tmp_path)


def test_a_program_that_is_not_there_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="a could not be started"):
        measure(evolve(case("a"), command=lambda _: [f"{sys.executable}-no-such"]), shared=tmp_path, peers=tmp_path)
