"""What was measured as one JSON document, and two of those held against each other."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.model import Measured
from bench.summary import Judged, judge
from bench.table import short


def as_data(measured: Sequence[Measured], *, machine: Mapping[str, object], scale: float) -> dict[str, object]:
    """Every sample of every round, and each claim as it came out."""
    return {"scale": scale, "machine": dict(machine), "workloads": [_workload_data(one) for one in measured]}


def compare(first: Path, second: Path) -> Iterator[str]:
    """Claim by claim, since those are ratios within one run, and figures of two runs are not comparable.

    Raises BenchError for a file that is none of ours.
    """
    earlier, later = _claims(first), _claims(second)
    for name, claims in later.items():
        yield name
        for claim, (low, middle, high) in claims.items():
            if claim not in earlier.get(name, {}):
                yield f"  new      {claim}: {short(middle)}"
                continue
            before_low, before, before_high = earlier[name][claim]
            apart = low > before_high or high < before_low
            yield f"  {'differs ' if apart else 'the same'} {claim}: {short(before)} -> {short(middle)}"


def _workload_data(measured: Measured) -> dict[str, object]:
    return {
        "name": measured.workload.name,
        "title": measured.workload.title,
        "absent": dict(measured.absent),
        "rounds": [
            {case: {"figures": dict(sample.figures), "counts": dict(sample.counts)} for case, sample in samples.items()}
            for samples in measured.rounds
        ],
        "claims": [_claim_data(judge(measured, must)) for must in measured.workload.musts],
    }


def _claim_data(judged: Judged) -> dict[str, object]:
    data: dict[str, object] = {"claim": judged.must.claim, "limit": judged.must.limit, "verdict": judged.verdict.value, "why": judged.why}
    if judged.measured:
        data["measured"] = {"low": judged.measured.low, "median": judged.measured.median, "high": judged.measured.high}
    return data


def _claims(path: Path) -> dict[str, dict[str, tuple[float, float, float]]]:
    try:
        workloads = json.loads(path.read_text())["workloads"]
        return {
            one["name"]: {claim["claim"]: _numbers(claim["measured"]) for claim in one["claims"] if "measured" in claim}
            for one in workloads
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{path} is not a document that `python -m bench run --json` has written: {error}") from error


def _numbers(measured: Mapping[str, float]) -> tuple[float, float, float]:
    return measured["low"], measured["median"], measured["high"]
