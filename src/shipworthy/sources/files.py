"""Files: Parquet, CSV and JSON, by a path, a pattern or an address."""

from __future__ import annotations

import re
from collections.abc import Callable
from glob import glob, has_magic
from io import BytesIO
from pathlib import Path

import polars as pl

from shipworthy.errors import InvalidInputError, NotFoundError, UnavailableError
from shipworthy.problem import Rows
from shipworthy.sources.address import ADDRESS, StorageOptions, secrets_of, told_to_store, without
from shipworthy.sources.stack import stacked
from shipworthy.sources.texts import with_dates, with_written_dates

_STORES = ("s3", "s3a", "gs", "gcs", "az", "azure", "adl", "abfs", "abfss", "http", "https", "hf")
_PARTED = r"[;\t|]"
"""What parts columns in files that are called CSV and have no commas."""
_REMEDY = "Correct the path in Problem(rows=...)."

Reader = Callable[[str, dict[str, str | int] | None], pl.DataFrame]
"""Reads a place: one path without options, or an address, which may be a pattern, with the options of its store."""


def parquet(path: str, *, known_at: str | None = None, storage_options: StorageOptions | None = None) -> Rows:
    """Rows from a Parquet file, or several by a pattern such as "data/*.parquet".

    Args:
        path: Relative to the project's folder, or an address such as "s3://bucket/sales/*.parquet"; credentials come from
            the environment.
        known_at: The column that says when the outcome of a row became known.
        storage_options: What the object store has to be told besides; a value may be "$NAME".

    >>> parquet("s3://bucket/sales/*.parquet").label
    's3://bucket/sales/*.parquet'
    """
    return _files("Parquet", path, _parquet, known_at, storage_options)


def csv(path: str, *, known_at: str | None = None, storage_options: StorageOptions | None = None) -> Rows:
    """Rows from a CSV file with a header, or several by a pattern; dates are recognised. Else as `parquet`.

    >>> csv("data/sales-*.csv").label
    'data/sales-*.csv'
    """
    return _files("CSV", path, _csv, known_at, storage_options)


def json(path: str, *, known_at: str | None = None, storage_options: StorageOptions | None = None) -> Rows:
    """Rows from a JSON file, or several by a pattern; texts that are all dates, or times, become such. Else as `parquet`.

    A file is one list of objects, or newline-delimited: one object per line.

    >>> json("data/sales.ndjson").label
    'data/sales.ndjson'
    """
    return _files("JSON", path, _json, known_at, storage_options)


def existing(folder: Path, path: str) -> Path:
    """The file at a path that is relative to a folder.

    Raises:
        NotFoundError: there is none; the message lists what lies beside it.
        InvalidInputError: it is a folder.
    """
    place = folder / path
    if place.is_dir():
        raise InvalidInputError(
            f"{place} is a folder, and rows come from files. Write {path.rstrip('/')}/* for all of its files."
        )
    if not place.exists():
        beside = sorted(other.name for other in place.parent.glob("*")) if place.parent.is_dir() else []
        raise NotFoundError.among("file", str(place), beside, _REMEDY)
    return place


def _files(kind: str, path: str, read: Reader, known_at: str | None, options: StorageOptions | None) -> Rows:
    label = without(path, secrets_of(path))
    if ADDRESS.match(path):
        return Rows(read=lambda _: _from_store(kind, path, label, read, options or {}), label=label, known_at=known_at)
    return Rows(read=lambda folder: _from_disk(kind, folder, path, read), label=label, known_at=known_at)


def _from_disk(kind: str, folder: Path, path: str, read: Reader) -> pl.DataFrame:
    return stacked({str(place): _opened(kind, place, read) for place in _places(folder, path)})


def _places(folder: Path, path: str) -> list[Path]:
    if not has_magic(path) or (folder / path).exists():
        return [existing(folder, path)]
    names = glob(path, root_dir=folder, recursive=True)  # noqa: PTH207  (Path.glob takes no absolute pattern)
    found = sorted(place for name in names if (place := folder / name).is_file())
    if not found:
        start = folder / re.split(r"[^/]*[*?\[]", path, maxsplit=1)[0]
        beside = sorted(other.name for other in start.glob("*")) if start.is_dir() else []
        there = f"In {start} there is: {', '.join(beside)}." if beside else f"{start} is empty, or no folder."
        raise NotFoundError(f"No file matches {path!r} in {folder}. {there} {_REMEDY}")
    return found


def _opened(kind: str, place: Path, read: Reader) -> pl.DataFrame:
    try:
        return read(str(place), None)
    except OSError as error:
        raise UnavailableError(f"{place} cannot be read: {without(error, ())}") from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeDecodeError) as error:
        raise InvalidInputError(
            f"{place} is no {kind} file that can be read: {without(error, ())} Write it again."
        ) from error


def _from_store(kind: str, address: str, label: str, read: Reader, options: StorageOptions) -> pl.DataFrame:
    """Reads an address. Its errors are told without their cause, in which a key or a signature may stand."""
    scheme = str(ADDRESS.match(address)[1]).lower()  # type: ignore[index]
    if scheme not in _STORES:
        raise InvalidInputError(f"Rows cannot come from {label}: {scheme}:// is none of {', '.join(_STORES)}.")
    given = told_to_store(options)
    secrets = secrets_of(address, given)
    try:
        return read(address, given)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is nothing at {label}: {without(error, secrets)} {_REMEDY}") from None
    except OSError as error:
        raise UnavailableError(f"{label} cannot be reached: {without(error, secrets)}") from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError) as error:
        told = without(error, secrets)
        if "expanded paths were empty" in told:
            raise NotFoundError(f"No file matches {label}. {_REMEDY}") from None
        if "object-store error" in told:
            raise UnavailableError(f"{label} cannot be reached: {told}") from None
        raise InvalidInputError(f"{label} is no {kind} file that can be read: {told}") from None


def _parquet(place: str, options: dict[str, str | int] | None) -> pl.DataFrame:
    return pl.scan_parquet(place, glob=options is not None, storage_options=options).collect()


def _csv(place: str, options: dict[str, str | int] | None) -> pl.DataFrame:
    _refuse_without_commas(place, options)
    texts = pl.scan_csv(
        place,
        glob=options is not None,
        storage_options=options,
        infer_schema_length=None,  # the first hundred numbers may be whole ones by chance
    ).collect()
    return with_written_dates(texts)


def _refuse_without_commas(place: str, options: dict[str, str | int] | None) -> None:
    header = pl.scan_csv(
        place, glob=options is not None, storage_options=options, infer_schema=False, truncate_ragged_lines=True
    )
    [first, *others] = header.collect_schema()
    if not others and re.search(_PARTED, first):
        raise pl.exceptions.SchemaError(
            f"its header {first!r} has no comma. Read it with sw.frame and a function that returns "
            "pl.read_csv(path, separator=..., try_parse_dates=True), with decimal_comma=True where numbers have one."
        )


def _json(place: str, options: dict[str, str | int] | None) -> pl.DataFrame:
    if options is None:
        return _json_of(Path(place).read_bytes())
    lines = pl.scan_lines(place, storage_options=options, include_file_paths="file").collect()
    files = lines.partition_by("file", as_dict=True, maintain_order=True)
    tables = {str(name): _json_of("\n".join(part["line"]).encode()) for (name,), part in files.items()}
    return stacked(tables or {place: _json_of(b"")})


def _json_of(content: bytes) -> pl.DataFrame:
    read = pl.read_json if content.lstrip()[:1] == b"[" else pl.read_ndjson
    return with_dates(read(BytesIO(content), infer_schema_length=None))
