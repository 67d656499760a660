"""`schema`: the JSON Schema of the configuration. It is shipped as a file, so that printing it imports none of the classes behind it."""

import json
import os
from argparse import Namespace

from orchestrator_py.cli.console import print_json

PLACE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "schemas", "codex.orchestrator.schema.json")


def schema(_: Namespace) -> int:
    """The exit code."""
    with open(PLACE, encoding="utf-8") as file:
        return print_json(json.load(file), 0)
