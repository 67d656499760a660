"""The machine's randomness."""

import os

_MOST = 0xFFFF_FFFF


def system_chance() -> float:
    """A number from 0 to 1, from the kernel: no other program draws the same ones."""
    return int.from_bytes(os.urandom(4)) / _MOST
