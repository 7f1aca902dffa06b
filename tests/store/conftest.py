"""Real servers for the tests of stores."""

from tests.sources.conftest import object_store as object_store
