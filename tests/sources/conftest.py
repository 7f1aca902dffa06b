"""What a reader of the object store has to be told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest


@pytest.fixture
def options(object_store: str, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """What a reader has to be told of the object store; the keys stand in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-to-be-told")
    return {"aws_endpoint_url": object_store, "aws_region": "us-east-1", "aws_allow_http": "true"}
