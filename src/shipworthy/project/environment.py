"""What worker processes inherit: variables that are set for as long as workers are started.

Libraries get one thread per worker, so that as many workers as cores do not fight over them; who sets these, decides.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


def one_thread_each() -> dict[str, str]:
    """The variables that give a worker's libraries one thread, or as many as somebody has set already."""
    return {name: os.environ.get(name, "1") for name in _ONE_THREAD}


def exact() -> dict[str, str]:
    """As `one_thread_each`, and Polars has one whoever says what: with several it adds up in another order each time."""
    return one_thread_each() | {"POLARS_MAX_THREADS": "1"}


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets variables, and puts back what was there before."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
