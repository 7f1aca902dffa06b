"""The API's own description, OpenAPI 3.1, made from the table of endpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec

from shipworthy.api.endpoint import PREFIX, Endpoint
from shipworthy.live.refusals import MEDIA_TYPE

Schema = dict[str, Any]

_REF = "#/components/schemas/{name}"
_PART = re.compile(r"\{(\w+)\}")
_TEXT: Mapping[int, str] = {
    400: "The body is not JSON.",
    401: "Nobody knows who asks.",
    403: "It is not theirs to do.",
    404: "It is not there.",
    406: "It cannot be answered as Accept wants it.",
    409: "A gate is closed, or it is there already.",
    412: "Somebody else was first.",
    413: "Too large.",
    415: "Not sent as JSON.",
    422: "A field is wrong.",
    428: "If-Match is missing.",
    429: "Too many requests.",
    500: "A defect, or a job that broke.",
    503: "A store does not answer, or too many jobs wait.",
}


@cache
def describe(endpoints: Sequence[Endpoint]) -> Schema:
    """The description of these endpoints."""
    types = [kind for one in endpoints for kind in (one.query, one.body, one.answer) if kind is not None]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF, schema_hook=lambda _: {})
    found = dict(zip(map(_identity, types), schemas, strict=True))
    paths: dict[str, Schema] = {}
    for one in endpoints:
        paths.setdefault(PREFIX + one.path, {})[one.method.lower()] = _operation(one, found, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "shipworthy", "version": version("shipworthy")},
        "paths": paths,
        "components": {
            "schemas": {**components, "Refusal": _REFUSAL},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _identity(kind: Any) -> str:
    return repr(kind)


def _operation(one: Endpoint, schemas: Mapping[str, Schema], components: Mapping[str, Schema]) -> Schema:
    parameters = [_path_parameter(name) for name in _PART.findall(one.path)]
    fields = components.get(one.query.__name__, {})
    parameters += [_query_parameter(name, schema) for name, schema in fields.get("properties", {}).items()]
    if one.waits:
        parameters += [_header("Prefer", "wait=10 waits so many seconds for the job."), _IDEMPOTENCY]
    if one.edits:
        parameters.append({**_header("If-Match", "The ETag of what was read."), "required": True})
    operation: Schema = {
        "operationId": one.name,
        "summary": one.says,
        "tags": [one.permission],
        "parameters": parameters,
        "responses": _responses(one, schemas),
    }
    if one.arguments:
        operation["x-arguments"] = list(one.arguments)
    if one.body is not None:
        content = {"application/json": {"schema": schemas[_identity(one.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _responses(one: Endpoint, schemas: Mapping[str, Schema]) -> Schema:
    answer: Schema = {"description": one.says}
    if one.answer is not None:
        answer["content"] = {one.media: {"schema": schemas[_identity(one.answer)]}}
    elif one.media != "application/json":
        answer["content"] = {one.media: {"schema": {"type": "string"}}}
    responses: Schema = {str(204 if one.answer is None and one.media == "application/json" else one.status): answer}
    if one.waits:
        responses["202"] = {**answer, "description": "The job goes on; Location says where it is told of."}
    if one.method == "GET":
        responses["304"] = {"description": "It is as If-None-Match says."}
    refused = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Refusal"}}}}
    return responses | {str(status): {"description": text, **refused} for status, text in _TEXT.items()}


def _path_parameter(name: str) -> Schema:
    kind = {"type": "integer", "minimum": 1, "maximum": 999_999_999} if name == "number" else {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": kind}


def _query_parameter(name: str, schema: Schema) -> Schema:
    """Without null, which a query cannot say."""
    kinds = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    return {"name": name, "in": "query", "required": False, "schema": kinds[0] if kinds else schema}


def _header(name: str, about: str) -> Schema:
    return {"name": name, "in": "header", "description": about, "schema": {"type": "string"}}


_IDEMPOTENCY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A request that is sent again with it starts nothing new.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
}

_REFUSAL: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "error": {"type": "string"},
        "gaps": {"type": "array", "items": {"type": "string"}},
    },
}
