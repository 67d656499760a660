"""What every test room shares."""

import pytest
from attrs import astuple
from hypothesis import HealthCheck, settings

from tests.harness import ROW, Account, Row, table

# The machine that runs the tests may be slow or busy: no example fails for its time, and none is forgotten between runs.
settings.register_profile("orchestrator", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("orchestrator")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop: without this, every async test would run once for each backend that happens to be installed."""
    return "asyncio"


@pytest.fixture
def account(request: pytest.FixtureRequest) -> Account:
    """For a harness: adds a line to the table that stands at the end of the tests."""
    return lambda row: request.node.user_properties.append((ROW, astuple(row)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The one table of all harnesses; what a worker process has counted comes with its reports."""
    reports = [one for outcome in ("passed", "failed") for one in terminalreporter.stats.get(outcome, ())]
    rows = [Row(*value) for one in reports for key, value in one.user_properties if key == ROW]
    for line in table(rows):
        terminalreporter.write_line(line)
