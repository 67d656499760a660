"""Plans: those of the example pipelines, and the refusal of configurations that cannot run."""

import json
import sys
import tempfile
from pathlib import Path

from command_line import call, write_configuration

ROOT = Path(__file__).resolve().parents[2]
STAGE = {"kind": "command", "id": "a", "title": "A", "command": "true"}
BROKEN = {
    "a need that nobody fulfils": {"pipelines": [{"id": "p", "title": "P", "stages": [STAGE | {"needs": ["b"]}]}]},
    "a circle": {"pipelines": [{"id": "p", "title": "P", "stages": [STAGE | {"needs": ["a"]}]}]},
    "a misspelt key": {"pipelines": [{"id": "p", "title": "P", "stages": [STAGE | {"comand": "true"}]}]},
    "a pipeline that is not there": {"defaultPipeline": "q", "pipelines": [{"id": "p", "title": "P", "stages": [STAGE]}]},
}
USAGE = 2


def planned(folder: Path) -> list[str]:
    """The stages of the folder's default pipeline, in the order of the plan."""
    done = call(folder, "plan")
    done.check_returncode()
    return [item["id"] for item in json.loads(done.stdout)["plan"]["items"]]


def main() -> int:
    example = planned(ROOT / "examples" / "pipelines")
    wrong = [] if example[0] == "poem:fetch" and example[-1] == "poem:report" else [f"the example is planned as {example}"]
    with tempfile.TemporaryDirectory() as folder:
        for what, data in BROKEN.items():
            write_configuration(Path(folder), data)
            code = call(Path(folder), "run").returncode
            if code != USAGE or (Path(folder) / ".runs").exists():
                wrong.append(f"{what}: exit code {code}, and a run folder or not: {sorted(Path(folder).iterdir())}")
    print("\n".join(wrong) or f"{len(example)} stages planned, {len(BROKEN)} configurations refused")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
