"""The async tests are run by anyio's own plugin: the package that is named in the test extra only pulls it in."""

from importlib.metadata import entry_points


def test_the_plugin_named_anyio_is_anyio_s_own() -> None:
    (plugin,) = entry_points(group="pytest11", name="anyio")
    assert plugin.value == "anyio.pytest_plugin"
    assert plugin.dist is not None
    assert plugin.dist.name == "anyio"


async def test_an_async_test_runs_once_in_the_one_event_loop(anyio_backend: str) -> None:
    assert anyio_backend == "asyncio"
