"""Keeping the engine's own news of connections out of what we say."""

import logging
import warnings

_LOGGERS = ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application", "bokeh", "asyncio")


def quieten() -> None:
    """For a program that is ours alone: what `distributed` logs and warns goes nowhere. ImportError if it is not installed."""
    import distributed  # noqa: F401 - the import itself sets handlers, which are taken away here

    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers[:] = [logging.NullHandler()]
        logger.propagate = False
    for module in ("distributed", "tornado", "dask"):
        warnings.filterwarnings("ignore", module=rf"{module}(\.|$)")
    warnings.filterwarnings("ignore", message=r"\s*Mismatched versions found")
