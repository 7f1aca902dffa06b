"""The libraries that draw and lay out the report: heavy and optional, so imported only when a report is written."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from shipworthy.errors import UnavailableError


def library(name: str) -> Any:
    """Imports a library of the extra `report`.

    Raises:
        UnavailableError: It is not installed.

    >>> library("no_such_library")
    Traceback (most recent call last):
    ...
    shipworthy.errors.UnavailableError: The report needs no_such_library, which ... `pip install 'shipworthy[report]'`...
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise UnavailableError(
            f"The report needs {name}, which cannot be imported ({error}). Run `pip install 'shipworthy[report]'` and "
            "repeat the command; what was recorded is kept."
        ) from error
