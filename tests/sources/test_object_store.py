"""Rows come from an object store by their address, and no key is ever told."""

import re
import socket
from urllib.request import Request, urlopen

import pytest

from shipworthy.errors import InvalidInputError, NotFoundError, UnavailableError
from shipworthy.sources.delta import delta
from shipworthy.sources.files import csv, json, parquet
from tests.problems import sales

TABLE = sales(3)


def put(store: str, name: str, content: bytes) -> None:
    """Lays an object into the bucket."""
    kind = {"Content-Type": "application/octet-stream"}
    with urlopen(Request(f"{store}/shop/{name}", data=content, headers=kind, method="PUT")):
        pass


@pytest.mark.parametrize(("source", "name"), [(parquet, "parquet"), (csv, "csv"), (json, "json"), (json, "ndjson")])
def test_an_address_is_read_like_a_path(object_store, options, tmp_path, source, name):
    """One file by its name, and several by a pattern."""
    for part, rows in (("a", TABLE.head(3)), ("b", TABLE.tail(6))):
        getattr(rows, f"write_{name}")(tmp_path / part)
        put(object_store, f"{name}/{part}.{name}", (tmp_path / part).read_bytes())

    assert source(f"s3://shop/{name}/a.{name}", storage_options=options).load(tmp_path).equals(TABLE.head(3))
    assert source(f"s3://shop/{name}/*.{name}", storage_options=options).load(tmp_path).equals(TABLE)


def test_a_delta_table_may_lie_in_an_object_store(object_store, options, tmp_path):
    """With the same options."""
    TABLE.write_delta("s3://shop/delta", storage_options=options)
    assert delta("s3://shop/delta", storage_options=options).load(tmp_path).sort("day", "item").equals(TABLE)


def test_what_is_not_there_is_said(options, tmp_path):
    """A missing object, a missing bucket, and a pattern that matches nothing."""
    for place in ("s3://shop/none.parquet", "s3://no-shop/none.parquet"):
        with pytest.raises(NotFoundError, match=f"There is nothing at {place}: .*404"):
            parquet(place, storage_options=options).load(tmp_path)
    with pytest.raises(NotFoundError, match=r"No file matches s3://shop/none/\*\.csv\."):
        csv("s3://shop/none/*.csv", storage_options=options).load(tmp_path)


def test_a_broken_object_is_named(object_store, options, tmp_path):
    """By its address."""
    put(object_store, "broken.parquet", b"PAR1" + bytes(40))
    with pytest.raises(InvalidInputError, match=r"s3://shop/broken\.parquet is no Parquet file that can be read"):
        parquet("s3://shop/broken.parquet", storage_options=options).load(tmp_path)


def test_a_store_that_does_not_answer_is_unavailable(options, tmp_path):
    """And what it was asked with is not repeated, keys in the options neither."""
    with socket.socket() as held:  # bound, and nobody listens
        held.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{held.getsockname()[1]}"
        keys: dict[str, str | int] = {"aws_secret_access_key": "hush-hush", "max_retries": 1}
        source = parquet("s3://shop/a.parquet", storage_options={**options, "aws_endpoint_url": nowhere, **keys})
        with pytest.raises(UnavailableError, match=r"s3://shop/a\.parquet cannot be reached: ") as refused:
            source.load(tmp_path)
    assert "hush" not in str(refused.value) + repr(source)
    assert refused.value.__cause__ is None


def test_a_key_may_stand_in_the_environment_alone(options, tmp_path, monkeypatch):
    """A variable that is not set is named."""
    monkeypatch.delenv("SHOP_KEY", raising=False)
    source = parquet("s3://shop/a.parquet", storage_options={**options, "aws_secret_access_key": "$SHOP_KEY"})
    with pytest.raises(InvalidInputError, match="variable 'SHOP_KEY', which is not set"):
        source.load(tmp_path)


def test_a_kind_of_address_that_nobody_reads_is_refused(tmp_path):
    """With those that are read."""
    with pytest.raises(InvalidInputError, match=re.escape("ftp:// is none of s3, s3a, gs")):
        csv("ftp://ada:hush@host/rows.csv").load(tmp_path)
    assert csv("ftp://ada:hush@host/rows.csv?sig=mum").label == "ftp://ada:***@host/rows.csv?***"
