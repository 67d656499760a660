"""The templates of repositories go when the tests have ended."""

from collections.abc import Iterator

import pytest

from tests.guards.repositories import remove_templates


@pytest.fixture(scope="session", autouse=True)
def _no_templates_are_left() -> Iterator[None]:
    yield
    remove_templates()
