"""What every test room shares."""

import pytest
from hypothesis import HealthCheck, settings

# The machine that runs the tests may be slow or busy: no example fails for its time, and none is forgotten between runs.
settings.register_profile("orchestrator", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("orchestrator")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop: without this, every async test would run once for each backend that happens to be installed."""
    return "asyncio"
