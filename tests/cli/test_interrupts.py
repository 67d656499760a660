"""Interrupted at any moment: never 0 with unfinished work, always a whole report, nothing left running.

In the environment: ORCHESTRATOR_PY_INTERRUPTS=N interrupts each kind of run N times instead of 20, ORCHESTRATOR_PY_SEED=N chooses other
moments.
"""

import os
from pathlib import Path

import pytest

from tests.cli.interrupts import KINDS, Interrupts, Kind
from tests.cli.running import command, pipeline
from tests.harness import Account, Row

COUNT = int(os.environ.get("ORCHESTRATOR_PY_INTERRUPTS", "20"))
SEED = int(os.environ.get("ORCHESTRATOR_PY_SEED", "1"))


@pytest.mark.timeout(120 + 6 * COUNT)
@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_an_interrupt_at_any_moment_leaves_a_whole_report(kind: Kind, tmp_path: Path, account: Account) -> None:
    interrupts = Interrupts(tmp_path, kind).shoot(COUNT, SEED)
    account(Row(f"interrupts: {kind.name}", COUNT, interrupts.fired, len(interrupts.wrong)))
    assert interrupts.wrong == []
    assert interrupts.fired > COUNT // 2


ALWAYS_ZERO = """
import sys
from orchestrator_py.__main__ import main
from orchestrator_py.cli import run_command

run_command.code_of_outcome = lambda outcome: 0
run_command._deadly_signal = lambda report: None
sys.exit(main(sys.argv[1:]))
"""

ENDS_NOBODY = """
import sys
from orchestrator_py.__main__ import main
from orchestrator_py.stages.process_group import ProcessGroup

ProcessGroup.signal = lambda self, number: None
ProcessGroup.is_alive = lambda self: False
sys.exit(main(sys.argv[1:]))
"""

LETS_IT_THROUGH = """
import sys
from orchestrator_py.__main__ import main
from orchestrator_py.cli import main as inside

def run_command_line(arguments):
    raise KeyboardInterrupt

inside.run_command_line = run_command_line
sys.exit(main(sys.argv[1:]))
"""

SLOW = Kind("slow", (pipeline("p", command("a", "true"), command("b", "sleep 2 & wait")),))
PLANTED = {
    "always 0": (ALWAYS_ZERO, "code 0, yet"),
    "ends nobody": (ENDS_NOBODY, "left over"),
    "lets an interrupt through": (LETS_IT_THROUGH, "Traceback"),
}


@pytest.mark.parametrize(("bug", "complaint"), PLANTED.values(), ids=PLANTED)
def test_the_harness_finds_a_planted_bug(bug: str, complaint: str, tmp_path: Path) -> None:
    interrupts = Interrupts(tmp_path, SLOW, program=bug).shoot(8, SEED)
    assert any(complaint in one for one in interrupts.wrong), interrupts.wrong
