"""Delta: a table in the Delta format, in any of its versions."""

from __future__ import annotations

from typing import Any

import polars as pl

from shipworthy.errors import InvalidInputError, NotFoundError, UnavailableError
from shipworthy.library import library
from shipworthy.problem import Rows
from shipworthy.sources.address import ADDRESS, StorageOptions, secrets_of, told_to_store, without


def delta(
    path: str,
    version: int | None = None,
    *,
    known_at: str | None = None,
    storage_options: StorageOptions | None = None,
) -> Rows:
    """Rows from a Delta table.

    Needs the extra `delta`.

    Args:
        path: The table's folder, relative to the project's, or its address, such as "s3://bucket/sales".
        version: The table's version; None means its newest.
        known_at: The column that says when the outcome of a row became known.
        storage_options: What the object store has to be told; a value may be "$NAME".

    >>> delta("tables/sales", version=3).label
    'version 3 of Delta table tables/sales'
    """
    shown = without(path, secrets_of(path))
    label = f"Delta table {shown}" if version is None else f"version {version} of Delta table {shown}"
    return Rows(
        read=lambda folder: _read(path if ADDRESS.match(path) else str(folder / path), version, label, storage_options),
        label=label,
        known_at=known_at,
    )


def _read(place: str, version: int | None, label: str, options: StorageOptions | None) -> pl.DataFrame:
    deltalake = library("deltalake", "delta")
    given = {name: str(value) for name, value in told_to_store(options).items()}
    secrets = secrets_of(place, given)
    try:
        table = deltalake.DeltaTable(place, storage_options=given)
        if version is not None:
            _require(table, version, label)
            table.load_as_version(version)
        return pl.read_delta(table)
    except deltalake.exceptions.TableNotFoundError:
        raise NotFoundError(
            f"There is no {label}: {without(place, secrets)} holds no Delta table. Correct the path in Problem(rows=...)."
        ) from None
    except OSError as error:
        raise UnavailableError(f"{label} cannot be reached: {without(error, secrets)}") from None
    except (deltalake.exceptions.DeltaError, pl.exceptions.PolarsError) as error:
        raise InvalidInputError(f"{label} cannot be read: {without(error, secrets)}") from None


def _require(table: Any, version: int, label: str) -> None:
    newest = table.version()
    if not 0 <= version <= newest:
        raise NotFoundError(f"There is no {label}. Its newest is {newest}. Correct delta(..., version=...).")
