"""One file a workload; each is made for a scale, 1 being the sizes that the claims are about."""

from collections.abc import Callable

from bench.model import Workload
from bench.workloads import w1_cold_start, w2_groups, w3_one_by_one, w4_in_flight, w5_large_run, w6_report, w7_many_processes, w8_guards

WORKLOADS: dict[str, Callable[[float], Workload]] = {
    "W1": w1_cold_start.create,
    "W2": w2_groups.create,
    "W3": w3_one_by_one.create,
    "W4": w4_in_flight.create,
    "W5": w5_large_run.create,
    "W6": w6_report.create,
    "W7": w7_many_processes.create,
    "W8": w8_guards.create,
}
