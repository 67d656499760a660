"""Where a function lives is told by room."""

import pytest

from bench.profiling import room_of


@pytest.mark.parametrize(
    ("where", "room"),
    [
        ("/home/me/repo/orchestrator_py/store/files.py:3 write_all", "orchestrator_py/store"),
        ("/v/lib/python3.13/site-packages/orchestrator_py/core/tally.py:3 add", "orchestrator_py/core"),
        ("/v/lib/python3.11/site-packages/anyio/_core/_tasks.py:3 start", "anyio"),
        ("/usr/lib/python3.11/asyncio/tasks.py:3 step", "asyncio"),
        ("~:0 <built-in method posix.open>", "built in"),
        ("<attrs generated methods x>:1 __init__", "generated and others"),
    ],
)
def test_a_room_is_a_folder_of_ours_a_package_or_a_module(where: str, room: str) -> None:
    assert room_of(where) == room
