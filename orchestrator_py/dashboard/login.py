"""The page that asks for the token: a form that works without scripts."""

from html import escape

from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>orchestrator-py</title>
<link rel="icon" href="static/icon.svg">
<link rel="stylesheet" href="static/dashboard.css">
<main class="login">
<h1>orchestrator-py</h1>
<form method="post" action="login">
<label for="token">Token of this dashboard</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Open</button>
<p role="alert">{message}</p>
</form>
</main>
</html>
"""


def login_page(message: str, status: int) -> Response:
    return HTMLResponse(_PAGE.format(message=escape(message)), status_code=status)


def path_below(scope: Scope) -> str:
    """The path as the application knows it, wherever it is mounted; its own page is `/`."""
    root, path = scope.get("root_path", ""), scope["path"]
    below = path.removeprefix(root) if root and (path == root or path.startswith(f"{root}/")) else path
    return below or "/"
