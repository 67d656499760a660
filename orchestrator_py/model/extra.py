"""What a value holds beside its fields, which is nothing as a rule: one mapping for all of them, and it stays empty."""

from typing import Final, NoReturn


class NoExtra(dict[str, object]):
    """The type of NO_EXTRA. A dict for whoever reads it; TypeError for whoever would change it, since others hold it too."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("`extra` cannot be changed; make a value with an `extra` of its own: attrs.evolve(value, extra={...}).")

    __setitem__ = __delitem__ = __ior__ = _refuse
    update = setdefault = pop = popitem = clear = _refuse

    def __reduce__(self) -> str:
        """Copies, and what comes back from a pickle, are the same object."""
        return "NO_EXTRA"


NO_EXTRA: Final = NoExtra()
