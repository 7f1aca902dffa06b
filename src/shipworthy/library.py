"""The libraries of the extras: heavy and optional, so imported where they are used, never where they are only declared."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from shipworthy.errors import UnavailableError


def library(name: str, extra: str) -> Any:
    """Imports a library of an extra.

    Raises:
        UnavailableError: it is not installed.

    >>> library("no_such_library", "sql")
    Traceback (most recent call last):
    ...
    shipworthy.errors.UnavailableError: This needs no_such_library, which ... `pip install 'shipworthy[sql]'`...
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise UnavailableError(
            f"This needs {name}, which cannot be imported ({error}). Run `pip install 'shipworthy[{extra}]'` and repeat the "
            "command; what was recorded is kept."
        ) from error
