"""What can go wrong while measuring."""


class BenchError(Exception):
    """Something could not be measured or installed; the message says what and why."""
