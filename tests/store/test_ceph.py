"""A real Ceph object gateway, where signatures are checked and writers are separate: with SHIPWORTHY_CEPH=1."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from shipworthy.errors import AlreadyExistsError, UnavailableError
from shipworthy.store.bucket import BucketObjectStore
from shipworthy.store.conformance import ObjectStoreConformance
from tests.store import ceph
from tests.store.buckets import use

pytestmark = pytest.mark.skipif(
    os.environ.get("SHIPWORTHY_CEPH") != "1" or not ceph.is_installed(),
    reason="needs SHIPWORTHY_CEPH=1, Debian's ceph-mon, ceph-osd, radosgw and ceph-common, and root",
)


@pytest.fixture(scope="module")
def gateway():
    """A gateway with two buckets: `shop`, and `kept`, which keeps every version."""
    with ceph.gateway() as started:
        keys = {"aws_access_key_id": started.access_key, "aws_secret_access_key": started.secret_key}
        client = boto3.client("s3", endpoint_url=started.address, region_name="us-east-1", **keys)
        for bucket in ("shop", "kept"):
            client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
        yield started


@pytest.fixture
def address(gateway, monkeypatch):
    """A prefix of one's own in the bucket."""
    return use(gateway.address, monkeypatch, gateway.access_key, gateway.secret_key)


class TestCeph(ObjectStoreConformance):
    """It passes the suite."""

    @pytest.fixture
    def open_store(self, address):
        """Opens the same prefix each time."""
        return lambda: BucketObjectStore(address)


def test_every_race_has_one_winner(address):
    """Of sixteen writers, twenty times."""

    def wins(name, n):
        try:
            BucketObjectStore(address).put(name, str(n).encode() * 100_000)
        except AlreadyExistsError:
            return False
        return True

    for race in range(20):
        with ThreadPoolExecutor(16) as pool:
            won = list(pool.map(wins, [f"race-{race}"] * 16, range(16)))
        assert won.count(True) == 1


def test_an_object_of_hundreds_of_megabytes(address):
    """In one request, and back in parts."""
    content = os.urandom(1_000_000) * 300
    BucketObjectStore(address).put("large", content)
    assert BucketObjectStore(address).get("large") == content


def test_a_wrong_key_is_told(address, monkeypatch):
    """By what the server says of it."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    with pytest.raises(UnavailableError, match="403 Forbidden, SignatureDoesNotMatch") as refused:
        BucketObjectStore(address).put("a", b"")
    assert "hush" not in str(refused.value)


def test_a_bucket_that_keeps_versions_is_refused(gateway, address):
    """There this server lets two writers win."""
    with pytest.raises(UnavailableError, match="takes no notice of `If-None-Match`"):
        BucketObjectStore("s3://kept/x").put("a", b"")
