"""A real browser, which remembers everything that it should not have had to do."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from attrs import define, field
from playwright.sync_api import ConsoleMessage, Dialog, Page, Request, sync_playwright

PATIENCE_MILLISECONDS = 30_000
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str:
    """Skips the test if there is none."""
    found = os.environ.get("ORCHESTRATOR_PY_BROWSER") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("no Chromium: install it, or name it in ORCHESTRATOR_PY_BROWSER")
    return found


@define(slots=False)  # Playwright keeps what it calls on the object
class Complaints:
    """Errors of the page, and requests that left the machine."""

    errors: list[str] = field(factory=list)
    away: list[str] = field(factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def dismiss(self, dialog: Dialog) -> None:
        self.errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def watch(self, request: Request) -> None:
        if _is_away(request.url):
            self.away.append(request.url)

    def without_lost_connections(self) -> list[str]:
        """The browser itself notes each request that a server which is away did not answer."""
        return [error for error in self.errors if "net::ERR_" not in error]


@contextmanager
def browsing(*, width: int = 1200, height: int = 900, scheme: str = "light") -> Iterator[tuple[Page, Complaints]]:
    complaints = Complaints()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"], timeout=60_000
        )
        dark = scheme == "dark"
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light")
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        page.on("console", complaints.hear)
        page.on("pageerror", lambda error: complaints.errors.append(str(error)))
        page.on("dialog", complaints.dismiss)
        page.on("request", complaints.watch)
        try:
            yield page, complaints
        finally:
            browser.close()


def _is_away(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme not in ("data", "blob") and parts.hostname not in ("127.0.0.1", "localhost")
