"""The kinds of claims: how one program, or one size, stands to another in the same round."""

from bench.model import OURS, Must, Round


def at_most(limit: float, figure: str, other: str, *, case: str = OURS) -> Must:
    """The figure of one case, as a multiple of that of another."""
    return Must(
        claim=f"{case}: {figure} at most {limit:g} × {other}",
        cases=(case, other),
        measure=lambda samples: _figure(samples, case, figure) / _figure(samples, other, figure),
        limit=limit,
    )


def faster(limit: float, figure: str, other: str, *, case: str = OURS) -> Must:
    """How many times as much gets done in the same time."""
    return Must(
        claim=f"{case}: at least {limit:g} × the rate of {other}",
        cases=(case, other),
        measure=lambda samples: _figure(samples, other, figure) / _figure(samples, case, figure),
        limit=limit,
        at_least=True,
    )


def further_at_most(limit: float, figure: str, cases: tuple[str, str], others: tuple[str, str]) -> Must:
    """What the larger size costs more than the smaller, against the same of another program; both have the same two sizes."""
    return Must(
        claim=f"{figure} from {cases[0]} to {cases[1]}: at most {limit:g} × {others[0]} to {others[1]}",
        cases=(*cases, *others),
        measure=lambda samples: _growth(samples, cases, figure) / _growth(samples, others, figure),
        limit=limit,
    )


def further_than_whole(limit: float, figure: str, cases: tuple[str, str], other: str) -> Must:
    """What the larger size costs more than the smaller, as a multiple of another program's whole cost."""
    return Must(
        claim=f"{figure} from {cases[0]} to {cases[1]}: at most {limit:g} × {other}",
        cases=(*cases, other),
        measure=lambda samples: _growth(samples, cases, figure) / _figure(samples, other, figure),
        limit=limit,
    )


def growth_at_most(limit: float, figure: str, cases: tuple[str, str], *, steps: int, scale: float = 1.0, unit: str) -> Must:
    """What each step from the smaller case to the larger adds."""
    return Must(
        claim=f"{figure} from {cases[0]} to {cases[1]}: at most {limit:g} {unit} each",
        cases=cases,
        measure=lambda samples: _growth(samples, cases, figure) * scale / steps,
        limit=limit,
    )


def figure_at_most(limit: float, figure: str, case: str) -> Must:
    """A figure by itself."""
    return Must(
        claim=f"{case}: {figure} at most {limit:g}", cases=(case,), measure=lambda samples: _figure(samples, case, figure), limit=limit
    )


def none(count: str, case: str) -> Must:
    """A count that is zero in every round."""
    return Must(claim=f"{case}: 0 {count}", cases=(case,), measure=lambda samples: samples[case].counts[count], limit=0, worst=True)


def _figure(samples: Round, case: str, figure: str) -> float:
    return samples[case].figures[figure]


def _growth(samples: Round, cases: tuple[str, str], figure: str) -> float:
    small, large = (_figure(samples, case, figure) for case in cases)
    return large - small
