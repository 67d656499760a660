"""A reviewer that reads no code: it approves if the evidence of a run of `implementation-gate` is complete and consistent.

The hand-off of `orchestrator-py review` comes on stdin; what it tells is held against the manifest that it names, and against what the
stages have left in the run's folder. Exit code 0 approves, 1 rejects with a sentence for everything that is wrong.
"""

import json
import os
import re
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = "implementation-gate"
EARLIER = ("spec-guard", "build", "lint", "test", "docs:check", "diff-budget")
REVIEW = "review"
SECTIONS = ("## Run", "## Guardrails", "## Change", "## Checklist", "## Notes")
TOLD = "Nobody has looked at the change: this was decided by a program, from the record of the checks alone."
SECONDS = 30.0
"""How long the manifest of a run that goes on may lag behind what has ended in it."""

Record = Mapping[str, object]


def problems(text: str, manifest: Record, folder: Path) -> Iterator[str]:
    """What speaks against an approval. `folder` is that of the run."""
    yield from (f"the hand-off has no section {name!r}" for name in SECTIONS if f"\n{name}\n" not in text)
    yield from _about_run(text, manifest)
    yield from _about_stages(text, manifest)
    yield from _about_budget(text)
    yield from _about_checklist(text)
    yield from _about_tests(folder / "pytest.xml")
    yield from _about_distributions(folder / "dist")


def _about_run(text: str, manifest: Record) -> Iterator[str]:
    run = re.search(r"^- run: (\S+) of pipeline (\S+),", text, re.MULTILINE)
    task = re.search(r"^- task: (\S+)$", text, re.MULTILINE)
    if (run and run[1], run and run[2]) != (manifest.get("run_id"), PIPELINE) or manifest.get("pipeline_id") != PIPELINE:
        yield f"this is no run of {PIPELINE}, or the hand-off is about another run than the manifest"
    if (task and task[1]) != manifest.get("task_id"):
        yield "the hand-off is about another task than the manifest"
    if manifest.get("status") not in ("in_progress", "succeeded"):
        yield f"the run is {manifest.get('status')}"


def _about_stages(text: str, manifest: Record) -> Iterator[str]:
    stages = stages_of(manifest)
    if sorted(str(stage.get("id")) for stage in stages) != sorted((*EARLIER, REVIEW)):
        yield f"the stages of the run are {[stage.get('id') for stage in stages]}"
    for stage in stages:
        name, status, code = stage.get("id"), stage.get("status"), stage.get("exit_code")
        if name != REVIEW and (status, code) != ("succeeded", 0):
            yield f"{name} is {status}, exit code {code}"
        if not re.search(rf"^- {re.escape(str(name))}: ", text, re.MULTILINE):
            yield f"the hand-off does not tell of {name}"


def _about_budget(text: str) -> Iterator[str]:
    """Findings that a reason has waived are waived; the stage has said the same."""
    budget = re.search(r"^- diff-budget: (?:no findings|\d+ findings? \(waived: .+\)); ", text, re.MULTILINE)
    if not budget:
        yield "the hand-off does not say that the change is within its budget, or why not"


def _about_checklist(text: str) -> Iterator[str]:
    for done, total in re.findall(r"^`.+`: (\d+) of (\d+) done\.$", text, re.MULTILINE):
        if done != total:
            yield f"of the checklist {done} of {total} are done"


def _about_tests(path: Path) -> Iterator[str]:
    try:
        (suite,) = ElementTree.parse(path).getroot().iter("testsuite")
        tests, bad = int(suite.attrib["tests"]), int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    except (OSError, ElementTree.ParseError, KeyError, ValueError) as error:
        yield f"the record of the tests cannot be read: {error}"
    else:
        if bad or not tests:
            yield f"the record of the tests tells of {tests} tests, {bad} of them not passed"


def _about_distributions(folder: Path) -> Iterator[str]:
    built = sorted(path.suffix for path in folder.glob("*"))
    if built != [".gz", ".whl"]:
        yield f"{len(built)} distributions were built, where a source distribution and a wheel belong"


def stages_of(manifest: Record) -> list[Record]:
    """What the manifest tells of the stages; nothing if it makes no sense."""
    commands = manifest.get("commands")
    return [stage for stage in commands if isinstance(stage, dict)] if isinstance(commands, list) else []


def read_manifest(path: Path, seconds: float) -> Record:
    """As soon as everything but the review has ended in it; in so many seconds as it is. OSError or ValueError if it cannot be read."""
    deadline = time.monotonic() + seconds
    while True:
        manifest = json.loads(path.read_text())
        if not isinstance(manifest, dict):
            raise ValueError(f"{path.name} is no object")
        waiting = [stage for stage in stages_of(manifest) if stage.get("id") != REVIEW and stage.get("exit_code") is None]
        if not waiting or manifest.get("status") != "in_progress" or time.monotonic() >= deadline:
            return manifest
        time.sleep(0.1)


def find_manifest(text: str) -> Path:
    """Where the hand-off says that it is. ValueError if it does not."""
    named = re.search(r"^- manifest: `([^`]+)`$", text, re.MULTILINE)
    if named is None:
        raise ValueError("the hand-off names no manifest")
    return ROOT / named[1]


def main() -> int:
    text = sys.stdin.read()
    try:
        path = find_manifest(text)
        manifest = read_manifest(path, float(os.environ.get("REVIEW_SECONDS", SECONDS)))
    except (OSError, ValueError) as error:
        found = [f"there is no manifest to be held against: {error}"]
    else:
        found = list(problems(text, manifest, path.parent))
    print(
        "\n".join(found)
        if found
        else f"The evidence is complete, and agrees with itself: {len(EARLIER)} of {len(EARLIER)} checks have passed."
    )
    print(TOLD)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
