"""Real servers for the tests of stores."""

from tests.sources.conftest import object_store

__all__ = ["object_store"]
