"""Plain values as YAML."""

from __future__ import annotations

import json
from typing import Any

from shipworthy.library import library


def to_yaml(*documents: Any) -> str:
    """Documents in the order in which their fields were given, without anchors: whoever reads one part sees all of it.

    Raises:
        UnavailableError: the extra `deploy` is not installed.

    >>> print(to_yaml({"port": 80, "host": "shop: main"}))
    port: 80
    host: 'shop: main'
    <BLANKLINE>
    """
    apart = json.loads(json.dumps(documents))
    text: str = library("yaml", "deploy").safe_dump_all(apart, sort_keys=False, width=110, allow_unicode=True)
    return text
