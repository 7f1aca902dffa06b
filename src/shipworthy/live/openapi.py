"""The service's own description, OpenAPI 3.1, with the columns of the problem that it serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from shipworthy.data.contract import Expected
from shipworthy.live.columns import Column
from shipworthy.live.fields import MAX_KEY, MAX_ROWS, MAX_SECONDS
from shipworthy.live.requests import Contract
from shipworthy.ship.logged import MIXED

Schema = dict[str, Any]

_KINDS: Mapping[str, Schema] = {
    "boolean": {"type": "boolean"},
    "number": {"type": "number"},
    "string": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "decimal": {"type": ["number", "string"]},
    "other": {},
}


def describe(problem: str, version: str, contract: Contract | None) -> Schema:
    """The description of a service; before anything is shipped its rows have no columns yet."""
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{problem}: decisions", "version": version},
        "paths": {
            "/v1/decide": {"post": _decide(contract)},
            "/v1/outcomes": {"post": _outcomes(contract)},
            "/v1/overrides": {"post": _overrides(contract)},
            "/v1/health": {"get": _plain("Whether this worker can decide, and with what.", "application/json", 503)},
            "/v1/alive": {"get": _plain("Whether this worker runs at all, whatever it serves.", "application/json")},
            "/metrics": {"get": _plain("Counts of all workers, for Prometheus.", "text/plain")},
            "/openapi.json": {"get": _plain("This description.", "application/json")},
        },
        "components": {"schemas": {"Problem": _FAULT}},
    }


def column_schema(column: Column) -> Schema:
    """What JSON values a column takes.

    >>> import polars as pl
    >>> column_schema(Column("size", pl.UInt8(), required=True))
    {'type': 'integer', 'minimum': 0, 'maximum': 255}
    """
    if column.kind == "integer":
        low, high = column.bounds
        schema: Schema = {"type": "integer", "minimum": low, "maximum": high}
    elif column.kind == "choice":
        schema = {"type": "string", "enum": list(column.choices)}
    else:
        schema = dict(_KINDS[column.kind])
    return schema if column.required or not schema else {"anyOf": [schema, {"type": "null"}]}


def bound_schema(schema: Schema, expected: Expected) -> Schema:
    """What JSON values a column takes, bound further by what the problem's contract expects of it.

    >>> bound_schema({"anyOf": [{"type": "number"}, {"type": "null"}]}, Expected(type="number", required=True, min=0))
    {'type': 'number', 'minimum': 0}
    """
    inner, *null = schema.get("anyOf", [schema])
    bound = dict(inner)
    if expected.type in ("number", "integer"):
        bound |= {
            key: value for key, value in (("minimum", expected.min), ("maximum", expected.max)) if value is not None
        }
    if expected.one_of:
        bound["enum"] = list(expected.one_of)
    if expected.pattern is not None:
        bound["pattern"] = f"^(?:{expected.pattern})$"
    return bound if expected.required or not null else {"anyOf": [bound, *null]}


def _decide(contract: Contract | None) -> Schema:
    unit = contract.problem.unit if contract else "unit"
    units = contract.units if contract else None
    columns = contract.asked if contract else {}
    rows = _rows(columns, columns)
    expected = contract.of_rows.columns if contract and contract.of_rows else {}
    for name in columns.keys() & expected.keys():
        rows["items"]["properties"][name] = bound_schema(column_schema(columns[name]), expected[name])
    if units is not None:
        rows["items"]["properties"][unit] = {"enum": sorted(units, key=str)}
    body: Schema = {
        "type": "object",
        "required": ["period", "rows"],
        "additionalProperties": False,
        "properties": {
            "period": column_schema(contract.columns[contract.problem.period]) if contract else {},
            "rows": rows,
            "state": _state(contract),
            "time_limit": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": MAX_SECONDS},
        },
    }
    decided = contract.problem.decisions if contract else ()
    answer = {
        "type": "object",
        "required": ["id", "problem", "period", "release", "arm", "rung", "status", "decisions"],
        "properties": {
            **{name: {"type": "string"} for name in ("id", "problem", "release", "rung", "status")},
            "period": {"type": ["string", "integer"]},
            "arm": {"enum": ["champion", "challenger", MIXED]},
            "decisions": {"type": "array", "items": {"type": "object", "required": [unit, *decided]}},
        },
    }
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The id of the decision; a request that is repeated with it gets the same answer and counts once.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]+$"},
    }
    if contract and contract.problem.next_state is not None and contract.problem.initial_state:
        body["required"] = ["period", "rows", "state"]
    return {
        "summary": "Decides all units of one period.",
        "operationId": "decide",
        "parameters": [key],
        "requestBody": _content("application/json", body),
        "responses": {"200": {"description": "The decisions.", **_content("application/json", answer)}, **_FAULTS},
    }


def _state(contract: Contract | None) -> Schema:
    if contract is None or contract.problem.next_state is None:
        return {"type": ["object", "null"], "maxProperties": 0}
    return {"type": "object", "required": list(contract.problem.initial_state)}


def _outcomes(contract: Contract | None) -> Schema:
    settled = contract.settled if contract else {}
    rows = _rows({**settled, **(contract.known_after if contract else {})}, settled)
    body = {"type": "object", "required": ["rows"], "additionalProperties": False, "properties": {"rows": rows}}
    answer = {"type": "object", "required": ["accepted"], "properties": {"accepted": {"type": "integer"}}}
    return {
        "summary": "Notes what then happened; a later outcome of the same period and unit corrects an earlier one.",
        "operationId": "outcomes",
        "requestBody": _content("application/json", body),
        "responses": {
            "200": {"description": "All are on the disk.", **_content("application/json", answer)},
            **_FAULTS,
        },
    }


def _overrides(contract: Contract | None) -> Schema:
    named = [*contract.problem.key, *contract.problem.decisions] if contract else []
    columns = {name: contract.columns[name] for name in contract.problem.key} if contract else {}
    rows = _rows(columns, dict.fromkeys([*named, "by", "why"], Column("", pl.String())))
    said: Schema = {"type": "string", "minLength": 1, "maxLength": 1000}
    rows["items"]["properties"] |= {**{name: {} for name in named if name not in columns}, "by": said, "why": said}
    rows["items"]["additionalProperties"] = False
    body = {"type": "object", "required": ["rows"], "additionalProperties": False, "properties": {"rows": rows}}
    answer = {"type": "object", "required": ["accepted"], "properties": {"accepted": {"type": "integer"}}}
    return {
        "summary": "Notes what was really done instead of what was decided, by whom and why; the last word on a unit counts.",
        "operationId": "overrides",
        "requestBody": _content("application/json", body),
        "responses": {
            "200": {"description": "All are on the disk.", **_content("application/json", answer)},
            **_FAULTS,
        },
    }


def _rows(columns: Mapping[str, Column], needed: Mapping[str, Column]) -> Schema:
    properties = {name: column_schema(column) for name, column in columns.items()}
    item: Schema = {"type": "object", "required": list(needed), "properties": properties}
    if properties:
        item["additionalProperties"] = False
    return {"type": "array", "minItems": 1, "maxItems": MAX_ROWS, "items": item}


def _plain(summary: str, media_type: str, *others: int) -> Schema:
    answers = {str(status): {"description": summary, **_content(media_type, {})} for status in (200, *others)}
    return {"summary": summary, "responses": answers}


def _content(media_type: str, schema: Schema) -> Schema:
    return {"content": {media_type: {"schema": schema}}}


_FAULT: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}

_FAULTS = {
    status: {"description": text, **_content("application/problem+json", {"$ref": "#/components/schemas/Problem"})}
    for status, text in {
        "400": "The body is not JSON.",
        "409": "The same key is still being decided.",
        "413": "Too large.",
        "415": "Not sent as JSON.",
        "422": "A field is wrong; every wrong one is listed.",
        "429": "Too many requests wait already.",
        "503": "Nothing can decide, or the log cannot be written, now.",
    }.items()
}
