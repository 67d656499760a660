"""The files of the page, read once: what is not in the list cannot be asked for."""

from importlib.resources import files

from starlette.responses import Response

_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
_VENDORED = ("uPlot.iife.min.js", "uPlot.min.css")
PAGE = "index.html"


def read_assets() -> dict[str, Response]:
    """The answer for each name below `static/`, and the page itself."""
    own, vendor = files(__package__) / "static", files("orchestrator_py.pages") / "vendor"
    found = {item.name: item.read_bytes() for item in own.iterdir() if item.name.rpartition(".")[2] in _TYPES}
    found.update({name: (vendor / name).read_bytes() for name in _VENDORED})
    return {name: _answer(name, content) for name, content in found.items()}


def _answer(name: str, content: bytes) -> Response:
    return Response(content, media_type=_TYPES[name.rpartition(".")[2]])
