"""One file a workload; each is made for a scale, 1 being the size that its title tells."""

from collections.abc import Callable

from bench.model import Workload
from bench.workloads import embedded, group, output, parallel, startup

WORKLOADS: dict[str, Callable[[float], Workload]] = {
    "parallel": parallel.create,
    "output": output.create,
    "embedded": embedded.create,
    "group": group.create,
    "startup": startup.create,
}
