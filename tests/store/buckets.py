"""A bucket's address for a test, with its server named in the environment."""

from __future__ import annotations

import os
import uuid

import pytest


def use(server: str, monkeypatch: pytest.MonkeyPatch, access: str = "tester", secret: str = "not-to-be-told") -> str:
    """Names a server and its keys in the environment, and gives the address of a new prefix in its bucket `shop`."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    return f"s3://shop/{uuid.uuid4().hex}"
