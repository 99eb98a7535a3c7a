"""Google's description of the Data Manager API's JSON (in google-api-python-client).

The code does not use that package; it is the only source here for names that the gRPC client
library does not have yet.
"""

from __future__ import annotations

from typing import Any

from tools.watch_google import discovery_document

DOCUMENT = discovery_document()
SCHEMAS = DOCUMENT["schemas"]


def check(value: Any, schema: str | dict[str, Any]) -> None:
    """Assert that a JSON value has only the fields, types and words of a schema (or its name)."""
    if isinstance(schema, str):
        schema = SCHEMAS[schema]
    elif "$ref" in schema:
        schema = SCHEMAS[schema["$ref"]]
    match schema["type"]:
        case "object":
            assert set(value) <= set(schema["properties"])
            for name, each in value.items():
                check(each, schema["properties"][name])
        case "array":
            for each in value:
                check(each, schema["items"])
        case "integer":
            assert type(value) is int
        case _:
            assert type(value) is str
            assert value in schema.get("enum", [value])
