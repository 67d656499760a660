"""What a pipeline says about the order of its work."""

import pytest

from orchestrator_py.model.pipeline import CommandStage, Pipeline
from orchestrator_py.model.policy import SubtaskPolicy

PLAIN = CommandStage(id="a", title="A", command="true")
NEEDING = CommandStage(id="b", title="B", command="true", policy=SubtaskPolicy(needs=("a",)))


@pytest.mark.parametrize(
    ("stages", "parallel", "sequential"),
    [((PLAIN,), False, True), ((PLAIN,), True, False), ((PLAIN, NEEDING), False, False), ((PLAIN, NEEDING), True, False)],
)
def test_the_order_of_the_file_is_the_order_of_work_unless_parallel_or_needs_say_otherwise(
    stages: tuple[CommandStage, ...], parallel: bool, sequential: bool
) -> None:
    assert Pipeline(id="p", title="P", stages=stages, parallel=parallel).sequential is sequential


def test_a_pipeline_without_tags_asks_for_general_instances() -> None:
    assert Pipeline(id="p", title="P", stages=()).capabilities == ("general",)
    assert Pipeline(id="p", title="P", stages=(), tags=("x", "y")).capabilities == ("x", "y")
