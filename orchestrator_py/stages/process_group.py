"""One shell command as the leader of its own session and process group: started, watched and signalled as a whole."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, Signals

from orchestrator_py.lean import define, field

SHELL = "/bin/sh"
_SAYS_ALL = sys.getfilesystemencoding() == "utf-8"
"""Then Popen encodes as we do, and once is enough: there are a hundred texts to each command."""


@define(eq=False)
class ProcessGroup:
    """A started command. `stdout` and `stderr` are descriptors of what it says; `exit_watch` is one that can be read when the process
    has ended, None where the kernel has none.

    Why no signal can hit a stranger: as long as the leader's status was not collected its number cannot be given away, and
    later it cannot as long as the group has a member. So after the leader's end the group is ours exactly while the group
    exists and no process has the leader's number; each signal is preceded by that question, with no waiting in between.
    """

    process: subprocess.Popen[bytes]
    stdout: int
    stderr: int
    exit_watch: int | None
    _ended: bool = field(default=False, init=False)
    _return_code: int | None = field(default=None, init=False)

    @property
    def must_be_polled(self) -> bool:
        """Nothing tells of the end."""
        return self.exit_watch is None and not self._ended

    @property
    def exit_code(self) -> int | None:
        """The process's own code; None while it runs, when a signal ended it, and when somebody else collected its status."""
        return None if self._return_code is None or self._return_code < 0 else self._return_code

    @property
    def signal_name(self) -> str | None:
        """The signal that ended it, by name."""
        return None if self._return_code is None or self._return_code >= 0 else name_signal(-self._return_code)

    def has_ended(self) -> bool:
        """Whether the leader has ended; collects its status the first time.

        A status that other code of this program collected (or SIGCHLD being ignored) is lost: it stays unknown, never zero.
        """
        if not self._ended:
            try:
                pid, status = os.waitpid(self.process.pid, os.WNOHANG)
            except ChildProcessError:
                self._end(None)
            else:
                if pid:
                    self._end(os.waitstatus_to_exitcode(status))
        return self._ended

    def is_alive(self) -> bool:
        """Whether the leader runs, or any other member. A zombie does not: when init collects an orphan is its own affair."""
        return self._exists() and (not self._ended or _has_living_member(self.process.pid))

    def signal(self, number: int) -> None:
        """To every member; a group that is gone, or that belongs to another user by now, gets none."""
        if self._exists():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def close(self) -> None:
        """Gives back every descriptor. A command that still runs, which only a torn-down event loop can bring about, is killed.

        A member that outlives its leader's own end is left alone: a command may start a daemon.
        """
        if not self.has_ended():
            self.signal(SIGKILL)
        if self.process.stdin is not None:
            self.process.stdin.close()
        os.close(self.stdout)
        os.close(self.stderr)
        if self.exit_watch is not None:
            os.close(self.exit_watch)

    def _end(self, return_code: int | None) -> None:
        self._ended, self._return_code = True, return_code
        self.process.returncode = -1 if return_code is None else return_code  # or Popen would wait for it once more

    def _exists(self) -> bool:
        """Whether a signal would find our group: the leader or another member, zombies included."""
        if not self.has_ended():
            return True
        self._collect_adopted()
        return _answers(os.killpg, self.process.pid) and not _answers(os.kill, self.process.pid)

    def _collect_adopted(self) -> None:
        """As a container's first process we inherit the orphans of the group; nobody else would ever collect them."""
        with suppress(ChildProcessError):
            while os.waitpid(-self.process.pid, os.WNOHANG)[0]:
                pass


def start_process_group(command: str, *, cwd: Path, env: Mapping[str, str], with_stdin: bool, wrapper: Sequence[str] = ()) -> ProcessGroup:
    """Starts the shell with the command; stdin is a pipe or empty, `wrapper` are words that go before the shell.

    OSError or ValueError say why it could not be started. The command is UTF-8 in every locale, as the file is that it stands in.

    Synchronous on purpose: there is no moment at which a cancellation could lose a started process. It holds the event loop for
    about half a millisecond, as asyncio's own way of starting a process does; a worker thread gains nothing, for the
    interpreter lock is held while the child is forked.
    """
    pipes: list[int] = []  # our own: Popen would make a file object around each, which nobody reads by
    try:
        pipes += os.pipe()
        pipes += os.pipe()
        process = subprocess.Popen(
            [*wrapper, SHELL, "-c", command.encode(errors="surrogateescape")],
            bufsize=0,
            stdin=subprocess.PIPE if with_stdin else subprocess.DEVNULL,
            stdout=pipes[1],
            stderr=pipes[3],
            cwd=cwd,
            env=env if _SAYS_ALL else {_encoded(name): _encoded(value) for name, value in env.items()},
            start_new_session=True,
        )
    except BaseException:  # whatever it is, nobody else would close them
        for descriptor in pipes:
            os.close(descriptor)
        raise
    stdout, its_stdout, stderr, its_stderr = pipes
    os.close(its_stdout)
    os.close(its_stderr)
    return ProcessGroup(process=process, stdout=stdout, stderr=stderr, exit_watch=_watch_exit(process.pid))


def _encoded(text: str) -> bytes:
    """Variables that we were given, and paths, are the bytes that they were; what the locale cannot say is UTF-8."""
    try:
        return os.fsencode(text)
    except UnicodeEncodeError:
        return text.encode(errors="surrogateescape")


def _watch_exit(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (OSError, AttributeError):
        return None


def name_signal(number: int) -> str:
    """`SIGTERM`; a real-time signal without a name of its own is `SIG<number>`."""
    try:
        return Signals(number).name
    except ValueError:
        return f"SIG{number}"


def _answers(kill: Callable[[int, int], None], number: int) -> bool:
    """Whether the process, or the group, with this number is there: signal 0 is never delivered."""
    try:
        kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _has_living_member(group_id: int) -> bool:
    """Whether a member is more than a zombie. Where nothing tells (no /proc), all of them are."""
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return True
    return not pids or any(_is_living_member(pid, group_id) for pid in pids)


def _is_living_member(pid: int, group_id: int) -> bool:
    try:
        return os.getpgid(pid) == group_id and _read_state(pid) not in ("Z", "X")
    except (ProcessLookupError, FileNotFoundError):
        return False
    except PermissionError:
        return True


def _read_state(pid: int) -> str:
    """One letter: it stands behind the name of the program, which is in parentheses and may hold anything."""
    stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    return stat[stat.rindex(")") + 2]
