"""How long a stopped command may take to end by itself."""

from datetime import timedelta

from orchestrator_py.lean import define


@define(eq=False)
class Grace:
    """The time between SIGTERM and SIGKILL. `hurry` takes away what is left of it, for every command that is being stopped."""

    period: timedelta = timedelta(seconds=10)
    hurried: bool = False

    def hurry(self) -> None:
        """SIGKILL at once: somebody has asked for a second time."""
        self.hurried = True

    def is_over(self, waited_seconds: float) -> bool:
        """Whether a command that was told to end this long ago has had its time."""
        return self.hurried or waited_seconds >= self.period.total_seconds()
