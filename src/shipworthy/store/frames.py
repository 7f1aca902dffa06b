"""Frames as objects: Parquet under its own digest. A module of its own, since importing it imports Polars."""

from __future__ import annotations

from io import BytesIO

import polars as pl

from shipworthy.store.objects import ObjectStore, get_content, put_content


def to_parquet(frame: pl.DataFrame) -> bytes:
    """The frame as Parquet; the same frame gives the same bytes.

    >>> from_parquet(to_parquet(pl.DataFrame({"a": [1]})))["a"].to_list()
    [1]
    """
    buffer = BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def from_parquet(content: bytes) -> pl.DataFrame:
    """The frame that `to_parquet` wrote."""
    return pl.read_parquet(BytesIO(content))


def put_frame(store: ObjectStore, folder: str, frame: pl.DataFrame) -> str:
    """Puts a frame under its own digest and returns the name."""
    return put_content(store, folder, to_parquet(frame))


def get_frame(store: ObjectStore, name: str) -> pl.DataFrame:
    """The frame of a name, checked against it.

    Raises:
        TamperedError: its bytes were changed since they were put.
    """
    return from_parquet(get_content(store, name))
