"""Builds the source distribution, and the wheel from it, into the folder that is named. They must be complete, and the wheel must run.

Nothing is downloaded: what builds is installed already.
"""

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "orchestrator_py"
BESIDE = (
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "constraints.txt",
    "codex.orchestrator.json",
    "scripts/check",
    "tests/conftest.py",
    "docs/files.md",
)


def build(folder: Path) -> tuple[Path, Path]:
    """Source distribution and wheel. CalledProcessError, after what the builder said, if it fails."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def sources() -> set[str]:
    """Every file of the package, as it lies in the work tree, without what tools have left there."""
    inside = (path.relative_to(ROOT) for path in (ROOT / PACKAGE).rglob("*") if path.is_file())
    return {path.as_posix() for path in inside if not any(part.startswith((".", "__pycache__")) for part in path.parts)}


def problems(sdist: Path, wheel: Path) -> Iterator[str]:
    """What is missing or does not work, one sentence each."""
    wanted = sources()
    packed = set(zipfile.ZipFile(wheel).namelist())
    yield from (f"{wheel.name} lacks {name}" for name in sorted(wanted - packed))
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    yield from (f"{sdist.name} lacks {name}" for name in sorted((wanted | set(BESIDE)) - packed))
    with TemporaryDirectory() as folder:
        yield from _run(wheel, Path(folder))


def _run(wheel: Path, folder: Path) -> Iterator[str]:
    """The wheel, installed alone: it says the version that its name says, and from no other place."""
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder), str(wheel)]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
    script = f"import {PACKAGE} as package; print(package.__file__, package.__version__)"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    for command in ([sys.executable, "-P", "-c", script], [sys.executable, "-P", "-m", PACKAGE, "--version"]):
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        version = wheel.name.split("-")[1]
        if done.returncode or version not in done.stdout or (command[2] == "-c" and str(folder) not in done.stdout):
            yield f"the installed {wheel.name} says {done.stdout.strip()!r}, exit code {done.returncode}: {done.stderr}"


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    sdist, wheel = build(folder)
    found = list(problems(sdist, wheel))
    print("\n".join(found) or f"{sdist.name} and {wheel.name}: complete, and the wheel runs")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
