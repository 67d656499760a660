"""A live view of what is on record: a page, a JSON API and a stream of changes, as an ASGI application. Needs the extra `dashboard`."""

try:
    from orchestrator_py.dashboard.app import create_app as create_app
except ModuleNotFoundError as error:
    if (error.name or "").startswith("orchestrator_py"):
        raise
    raise ModuleNotFoundError(
        f"the dashboard needs {error.name}, which is not installed; install it with: pip install 'orchestrator-py[dashboard]'",
        name=error.name,
    ) from None
