"""The JSON Schema of codex.orchestrator.json, from the classes that read it."""

from orchestrator_py.core.codec.configuration import CONVERTER, ConfigurationDocument, GuardrailsDocument, PipelineDocument
from orchestrator_py.core.codec.json_schema import Schema, object_schema
from orchestrator_py.core.codec.pipeline import KINDS


def configuration_schema() -> Schema:
    """What may stand in the file. References between its parts (ids, needs, stage sets) are checked by `validate` alone."""
    definitions: dict[str, Schema] = {}
    names = {kind: cls.__name__.removesuffix("Document") for kind, cls in KINDS.items()}
    for kind, cls in KINDS.items():
        definitions[names[kind]] = object_schema(CONVERTER, cls, {"kind": {"const": kind}}, definitions)
    stages: Schema = {"type": "array", "items": {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in names.values()]}}
    definitions["Pipeline"] = object_schema(CONVERTER, PipelineDocument, {"stages": stages}, definitions)
    definitions["Guardrails"] = object_schema(CONVERTER, GuardrailsDocument, {}, definitions)
    parts: dict[str, Schema] = {
        "pipelines": {"type": "array", "items": {"$ref": "#/$defs/Pipeline"}},
        "stageSets": {"type": "object", "additionalProperties": stages},
        "guardrails": {"anyOf": [{"$ref": "#/$defs/Guardrails"}, {"type": "null"}]},
    }
    whole = object_schema(CONVERTER, ConfigurationDocument, parts, definitions)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "codex.orchestrator.json"}
    return {**head, **whole, "$defs": definitions}
