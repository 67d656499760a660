"""What a person waits for who types a command: everything around the work of one `true`."""

import sys

from attrs import evolve

from bench.model import PEAK, WALL, Case, Workload
from bench.musts import at_most
from bench.workloads.pipelines import Group, doit, make, ours, reference

STACK = "import anyio, attrs, cattrs, argparse, json\nasync def nothing(): pass\nanyio.run(nothing)"


def create(scale: float) -> Workload:
    """The stack is what the project may not do without; there is nothing to scale."""
    one = Group(1, "true", jobs=1)
    cases = [evolve(case, size="") for case in (ours(one), reference(one), make(one), doit(one))]
    return Workload(
        name="W1",
        title="cold command line, one `true`",
        cases=[*cases, _python("stack floor", STACK), _python("bare python", "pass")],
        musts=[at_most(0.5, WALL, "reference"), at_most(1.5, WALL, "stack floor"), at_most(0.5, PEAK, "reference")],
    )


def _python(name: str, program: str) -> Case:
    return Case(program=name, command=lambda _: [sys.executable, "-c", program])
