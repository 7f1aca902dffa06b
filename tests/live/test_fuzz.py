"""What nobody would send: requests made up from the service's own description, against the real server."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tests.live.stall import Server

MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


@pytest.mark.parametrize("operation", ["POST /v1/decide", "POST /v1/outcomes"])
def test_made_up_requests_get_documented_answers(operation: str, shadowed: Server) -> None:
    """What the description forbids is refused, and nothing gets a 5xx or an answer that is not in the description."""
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{shadowed.port}/openapi.json")
    method, path = operation.split()
    asked: set[int] = set()

    for mode in MODES:

        @settings(
            max_examples=60,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=schema[path][method].as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case[Any]) -> None:
            asked.add(case.call_and_validate(checks=CHECKS).status_code)

        ask()
    assert asked
