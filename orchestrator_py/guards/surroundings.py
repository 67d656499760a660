"""What a repository has that documents may name. Everything is looked up when it is asked for, and once."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cached_property

from orchestrator_py.guards.git import Git, GitError
from orchestrator_py.guards.markdown import scan
from orchestrator_py.guards.tool import Words

_TARGET = re.compile(r"^([^\s:=#%$][^:=#%$\n]*)::?(?!=)", re.MULTILINE)
_COMPUTED = re.compile(r"^-?include\s|^[^\t#=\n]*[%$][^:=\n]*::?(?!=)|\$\(eval", re.MULTILINE)
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_MAKES_MAKEFILES = ("configure", "configure.ac", "CMakeLists.txt", "Makefile.am", "Makefile.in")
_LARGEST = 1 << 22
_MOST_FILES = 50_000


class Surroundings:
    """`pipelines` are None if there is no configuration. Folders are relative to the repository, `` for itself."""

    def __init__(self, root: str, *, pipelines: frozenset[str] | None, tools: Mapping[str, Words]) -> None:
        self.root = root
        self.pipelines = pipelines
        self.example_pipelines: frozenset[str] = frozenset()
        self.labels: frozenset[str] = frozenset()
        self.repositories: frozenset[str] = frozenset()
        self.tools = tools
        self._exists: dict[str, bool] = {}
        self._scripts: dict[str, frozenset[str]] = {}
        self._targets: dict[str, frozenset[str] | None] = {}
        self._anchors: dict[str, frozenset[str] | None] = {}

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        if path not in self._exists:
            self._exists[path] = os.path.exists(os.path.join(self.root, path))
        return self._exists[path]

    def is_folder(self, path: str) -> bool:
        """A folder, or a link to one."""
        return os.path.isdir(os.path.join(self.root, path))

    def read(self, path: str) -> str | None:
        """None if it is no file that can be read as UTF-8, or a huge one."""
        place = os.path.join(self.root, path)
        try:
            if not os.path.isfile(place) or os.path.getsize(place) > _LARGEST:
                return None
            with open(place, encoding="utf-8-sig", newline="") as file:
                return file.read()
        except (OSError, ValueError):
            return None

    @cached_property
    def top(self) -> frozenset[str]:
        """The names in the root."""
        return frozenset(os.listdir(self.root))

    def anchors(self, path: str) -> frozenset[str] | None:
        """Those of a document; None if it is none."""
        if path not in self._anchors:
            text = self.read(path) if path.endswith(".md") else None
            self._anchors[path] = None if text is None else scan(path, text).anchors
        return self._anchors[path]

    def npm_scripts(self, folder: str) -> frozenset[str]:
        """The scripts of the package.json there."""
        if folder not in self._scripts:
            try:
                package = json.loads(self.read(os.path.join(folder, "package.json")) or "{}")
            except (ValueError, RecursionError):
                package = None
            scripts = package.get("scripts") if isinstance(package, dict) else None
            self._scripts[folder] = frozenset(scripts) if isinstance(scripts, dict) else frozenset()
        return self._scripts[folder]

    def make_targets(self, folder: str) -> frozenset[str] | None:
        """The targets of the Makefile there; None if they cannot be told from its text."""
        if folder not in self._targets:
            self._targets[folder] = self._read_targets(folder)
        return self._targets[folder]

    def _read_targets(self, folder: str) -> frozenset[str] | None:
        text = next((text for name in _MAKEFILES if (text := self.read(os.path.join(folder, name))) is not None), None)
        if text is None:
            elsewhere = any(self.exists(os.path.join(folder, name)) for name in _MAKES_MAKEFILES) or "makefile" in self._places
            return None if elsewhere else frozenset()
        if _COMPUTED.search(text):
            return None
        return frozenset(name for names in _TARGET.findall(text) for name in names.split())

    @cached_property
    def console_scripts(self) -> frozenset[str]:
        """Those of the project that pyproject.toml describes."""
        import tomllib

        try:
            project = tomllib.loads(self.read("pyproject.toml") or "").get("project")
        except (ValueError, RecursionError):
            project = None
        scripts = project.get("scripts") if isinstance(project, dict) else None
        return frozenset(scripts) if isinstance(scripts, dict) else frozenset()

    def is_ignored(self, path: str) -> bool:
        """Whether git does not look at it: it is made, and not kept."""
        return self._git is not None and self._git.ignores(path)

    @cached_property
    def _git(self) -> Git | None:
        """None without a repository, or if git cannot read it."""
        try:
            return Git.at(self.root)
        except GitError:
            return None

    def similar(self, path: str) -> list[str]:
        """What may have been meant: files of that name elsewhere, else what lies in the nearest folder that there is."""
        name = path.rstrip("/").rpartition("/")[2]
        if elsewhere := self._places.get(name.lower()):
            return sorted(elsewhere, key=lambda found: (abs(found.count("/") - path.count("/")), found))[:1]
        folder = os.path.dirname(path.rstrip("/"))
        while folder and not self.is_folder(folder):
            folder = os.path.dirname(folder)
        try:
            inside = os.listdir(os.path.join(self.root, folder))
        except OSError:
            return []
        from difflib import get_close_matches

        return [os.path.join(folder, close) for close in get_close_matches(name, inside, n=1)]

    @cached_property
    def _places(self) -> Mapping[str, list[str]]:
        places: dict[str, list[str]] = {}
        for path in self._files():
            places.setdefault(path.rpartition("/")[2].lower(), []).append(path)
        return places

    def _files(self) -> Iterator[str]:
        """Those that git knows; without git, those that lie there, up to a limit."""
        try:
            if self._git is not None:
                yield from self._git.words("ls-files", "-z", "--cached", "--others", "--exclude-standard")
                return
        except GitError:
            pass
        left = _MOST_FILES
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
            for name in sorted(names)[:left]:
                yield os.path.relpath(os.path.join(folder, name), self.root)
            left -= len(names)
            if left <= 0:
                return
