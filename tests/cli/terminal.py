"""A terminal that shows what a person would see: tmux, on a server of its own, with bash in it."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from attrs import frozen

from tests.cli.running import NOTHING, environment

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
PATIENCE_SECONDS = 30.0
_SURROUNDINGS = ("CI", "NO_COLOR", "FORCE_COLOR", "TERM", "TMUX", "COLUMNS", "LINES")


@frozen
class Terminal:
    """`tmux` is the command line that reaches the server."""

    tmux: tuple[str, ...]

    def type(self, line: str) -> None:
        self._do("send-keys", "-l", line)
        self.press("Enter")

    def press(self, key: str) -> None:
        self._do("send-keys", key)

    def resize(self, columns: int, rows: int) -> None:
        self._do("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self, *, colours: bool = False) -> str:
        """The rows that are on it; blanks at their ends are left out."""
        shown = self._do("capture-pane", "-p", *(["-e"] if colours else []))
        return "\n".join(row.rstrip() for row in shown.split("\n")).rstrip("\n")

    def history(self) -> str:
        """With what was scrolled away; a row that was broken is one."""
        return self._do("capture-pane", "-p", "-J", "-S", "-").rstrip()

    def cursor_is_visible(self) -> bool:
        return self._do("display-message", "-p", "#{cursor_flag}").strip() == "1"

    def wait_for(self, shown: str | Callable[[str], bool]) -> str:
        """The first screen that shows the text, or of which it is true."""
        ends, screen = time.monotonic() + PATIENCE_SECONDS, ""
        while time.monotonic() < ends:
            screen = self.screen()
            if shown in screen if isinstance(shown, str) else shown(screen):
                return screen
            time.sleep(0.02)
        raise AssertionError(f"this stands on the screen:\n{screen}")

    def _do(self, *arguments: str) -> str:
        return subprocess.run([*self.tmux, *arguments], check=True, capture_output=True, text=True).stdout


@contextmanager
def open_terminal(folder: Path, *, columns: int = 80, rows: int = 24, variables: Mapping[str, str] = NOTHING) -> Iterator[Terminal]:
    """A shell in the folder, whose prompt is `$ `."""
    kept = {name: value for name, value in environment().items() if name not in _SURROUNDINGS}
    given = {**kept, "LC_ALL": "C.UTF-8", **variables}
    pairs = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
    tmux = ("tmux", "-L", f"orchestrator-{uuid4().hex[:12]}", "-f", "/dev/null")
    size = ["-x", str(columns), "-y", str(rows)]
    new = [*tmux, "new-session", "-d", *size, "-c", str(folder), *pairs, "env PS1='$ ' bash --norc --noprofile"]
    subprocess.run(new, check=True, env={**kept, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"})
    terminal = Terminal(tmux)
    try:
        terminal.wait_for("$")
        yield terminal
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
