"""One scope for all attempts of a lane, until a cancellation has used it up; then another one."""

import anyio
import pytest

from orchestrator_py.actors.subtask import LaneScope

pytestmark = pytest.mark.anyio


async def test_attempts_that_end_by_themselves_share_a_scope() -> None:
    lane = LaneScope()
    with lane as first:
        await anyio.lowlevel.checkpoint()
    with lane as second:
        await anyio.lowlevel.checkpoint()
    lane.close()
    assert first is second
    with anyio.fail_after(20):
        await anyio.lowlevel.checkpoint()


async def test_a_cancellation_ends_its_attempt_and_no_later_one() -> None:
    lane = LaneScope()
    reached = False
    with lane as first:
        first.cancel()
        await anyio.sleep_forever()
    with lane as second:
        await anyio.lowlevel.checkpoint()
        reached = True
    lane.close()
    assert (first is second, first.cancel_called, second.cancel_called, reached) == (False, True, False, True)


async def test_one_that_was_cancelled_and_ended_all_the_same_is_used_up_too() -> None:
    lane = LaneScope()
    with lane as first:
        first.cancel()
    with lane as second:
        await anyio.lowlevel.checkpoint()
    lane.close()
    assert first is not second


async def test_an_error_goes_through() -> None:
    lane = LaneScope()
    with pytest.raises(ValueError, match="own"), lane:
        raise ValueError("own")
    lane.close()
