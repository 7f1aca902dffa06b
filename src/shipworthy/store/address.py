"""Stores by their address: what one line of `shipworthy.toml` says, a store is opened from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from pathlib import Path

from shipworthy.errors import InvalidInputError
from shipworthy.library import library
from shipworthy.store.bucket import SCHEMES, BucketObjectStore
from shipworthy.store.cached import CachedObjectStore
from shipworthy.store.folder import FolderObjectStore
from shipworthy.store.objects import ObjectStore
from shipworthy.store.records import RecordStore
from shipworthy.store.sqlite import SqliteRecordStore
from shipworthy.variable import held

_WHAT = "The address of a store"
_CACHE = Path(".shipworthy") / "cache"
_BACKUPS = Path(".shipworthy") / "backups"
_POSTGRES = ("postgresql", "postgres")


def open_objects(address: str, *, root: Path, space: str, copies: bool = True) -> ObjectStore:
    """Opens an object store.

    Args:
        address: A path, relative to the project's folder; "s3://bucket/prefix", "gs://…" or "az://…"; or "$NAME" of an
            environment variable that holds one of these.
        root: The project's folder; what comes from a bucket is kept there for the next time.
        space: Whose objects these are in a bucket, which several projects may share; in a folder nobody else's lie.
        copies: Whether copies on the local disk may be read instead of the bucket.

    Raises:
        InvalidInputError: it is no address, or the variable is not set.
        UnavailableError: the library for buckets is not installed.
    """
    place = held(address, _WHAT)
    scheme, parted, _ = place.partition("://")
    if not parted:
        return FolderObjectStore(root / place)
    if scheme not in SCHEMES:
        raise InvalidInputError(
            f"Objects cannot lie at {scheme}://…; give a path, or an address that begins with one of "
            f"{', '.join(f'{known}://' for known in SCHEMES)}."
        )
    bucket = BucketObjectStore(place, space=space)
    return CachedObjectStore(bucket, root / _CACHE) if copies else bucket


def open_records(address: str, *, root: Path, space: str, clock: Callable[[], datetime]) -> RecordStore:
    """Opens a record store.

    Args:
        address: A path, relative to the project's folder, also as "sqlite:PATH"; "postgresql://…"; or "$NAME" of an environment
            variable that holds one of these.
        root: The project's folder; what is in a database before a migration is backed up there.
        space: Whose records these are in a database, which several projects may share; in a file nobody else's lie.
        clock: Gives the instant under which records are written.

    Raises:
        InvalidInputError: it is no address, or the variable is not set.
        UnavailableError: the file cannot be opened, the server does not answer, or the library for it is not installed.
    """
    place = held(address, _WHAT)
    scheme, parted, _ = place.partition("://")
    if not parted:
        return SqliteRecordStore(root / place.removeprefix("sqlite:"), clock=clock)
    if scheme not in _POSTGRES:
        raise InvalidInputError(f"Records cannot lie at {scheme}://…; give a path, or an address postgresql://….")
    library("psycopg", "postgres")
    make: Callable[..., RecordStore] = import_module("shipworthy.store.postgres").PostgresRecordStore
    return make(place, space=space, backups=root / _BACKUPS, clock=clock)
