"""Objects in a bucket: the same duties as a folder's, on real servers, and every trouble told by its cause."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import obstore.exceptions
import pytest

from shipworthy.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    ShipworthyError,
    UnavailableError,
)
from shipworthy.store import digest, put_content
from shipworthy.store.bucket import _PART, CAUSES, BucketObjectStore
from shipworthy.store.cached import CachedObjectStore
from shipworthy.store.conformance import ObjectStoreConformance
from tests.store.buckets import use


@pytest.fixture
def address(object_store: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A prefix of one's own in the bucket, whose server is named in the environment."""
    return use(object_store, monkeypatch)


class TestBucket(ObjectStoreConformance):
    """An S3-compatible server passes the suite."""

    @pytest.fixture
    def open_store(self, address):
        """Opens the same prefix each time."""
        return lambda: BucketObjectStore(address, space="food/kitchen")


class TestCached(ObjectStoreConformance):
    """And with copies on the local disk."""

    @pytest.fixture
    def open_store(self, address, tmp_path):
        """Opens the same prefix and the same folder each time."""
        return lambda: CachedObjectStore(BucketObjectStore(address), tmp_path)


def test_projects_do_not_see_one_another(address):
    """In one bucket, each has its space, and the prefix of a name may end within a word."""
    mine, other = (BucketObjectStore(address, space=space) for space in ("food/kitchen", "food/kitchen-2"))
    for name in ("evidence/aa", "evidence/ab", "evident"):
        mine.put(name, b"mine")
    other.put("evidence/aa", b"other")
    assert list(mine.list("evidence/a")) == ["evidence/aa", "evidence/ab"]
    assert list(mine.list("evid")) == ["evidence/aa", "evidence/ab", "evident"]
    assert list(other.list()) == ["evidence/aa"]
    assert mine.get("evidence/aa") == b"mine"


def test_more_objects_than_a_page_are_listed(address):
    """All of them, each once."""
    store = BucketObjectStore(address)
    names = [f"many/{n:04d}" for n in range(1_020)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: store.put(name, b""), names))
    assert list(store.list("many/")) == names


def test_what_is_larger_than_a_part_comes_back_whole(address):
    """It is asked for in parts, of which the last one is shorter."""
    content = os.urandom(1_000_003) * (2 * _PART // 1_000_003 + 1)
    store = BucketObjectStore(address)
    name = put_content(store, "large", content)
    assert store.get(name) == content
    assert store.about(name).size == len(content)


def test_every_error_of_the_library_has_a_meaning_here():
    """None is left to chance, and none is named that there is not."""
    there = {name for name in vars(obstore.exceptions) if name.endswith("Error")} - {"BaseError"}
    assert set(CAUSES) == there
    assert all(issubclass(kind, ShipworthyError) for kind, _ in CAUSES.values())


class _Answers(BaseHTTPRequestHandler):
    """A server that answers everything with one status; or, with 200, takes every put and no notice of conditions."""

    status = 200
    asked: list[str]

    def _answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        type(self).asked.append(self.command)
        body = (
            b"<Error><Code>Because</Code><StringToSign>hush-hush</StringToSign></Error>" if self.status != 200 else b""
        )
        self.send_response(self.status)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _answer  # noqa: N815  (the names of the library)

    def log_message(self, *args):
        """Says nothing."""


@pytest.fixture
def answering(monkeypatch):
    """Starts a server that answers with a status, and names it in the environment."""
    servers = []

    def start(status):
        handler = type("Answers", (_Answers,), {"status": status, "asked": []})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return use(f"http://127.0.0.1:{server.server_port}", monkeypatch), handler

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_server_that_takes_no_notice_of_conditions_is_refused(answering):
    """Before anything is put: there, two writers would both win."""
    address, handler = answering(200)
    with pytest.raises(UnavailableError, match="takes no notice of `If-None-Match`"):
        BucketObjectStore(address).put("a", b"1")
    assert handler.asked == ["PUT", "PUT"]


@pytest.mark.parametrize(
    ("status", "told"), [(401, "401 Unauthorized"), (403, "403 Forbidden"), (400, "400 Bad Request")]
)
def test_a_server_that_refuses_is_unavailable(answering, status, told):
    """The bucket, the endpoint and the reason are named; nothing that was signed, and no key."""
    address, _ = answering(status)
    store = BucketObjectStore(address)
    asks = [lambda: store.get("a"), lambda: store.put("a", b""), lambda: list(store.list()), lambda: store.delete("a")]
    for ask in asks:
        with pytest.raises(UnavailableError, match=f"{address} at http://127.0.0.1:.*{told}") as refused:
            ask()
        assert "hush" not in str(refused.value)
        assert "not-to-be-told" not in str(refused.value)
        assert refused.value.__cause__ is None


def test_a_server_that_is_gone_is_unavailable(monkeypatch):
    """After a few tries."""
    with socket.socket() as held:  # bound, and nobody listens
        held.bind(("127.0.0.1", 0))
        address = use(f"http://127.0.0.1:{held.getsockname()[1]}", monkeypatch)
        with pytest.raises(UnavailableError, match=r"does not answer for 'a'.*error sending request"):
            BucketObjectStore(address).get("a")


def test_a_missing_bucket_is_told_from_a_missing_object(object_store, address):
    """Whatever is asked."""
    nowhere = BucketObjectStore("s3://no-such-shop/x")
    for ask in (lambda: nowhere.get("a"), lambda: nowhere.put("a", b""), lambda: nowhere.about("a")):
        with pytest.raises(UnavailableError, match=r"s3://no-such-shop/x at .* does not exist. Make the bucket"):
            ask()
    with pytest.raises(NotFoundError, match="no object 'a' in the bucket s3://shop"):
        BucketObjectStore(address).about("a")


@pytest.mark.parametrize(
    "address", ["s3://", "s3://key:hush@shop/x", "s3://shop/x?key=hush", "s3://shop/../x#hush", "s3://shop//hush"]
)
def test_what_is_no_address_is_refused_and_not_repeated(address):
    """It may hold a secret."""
    with pytest.raises(InvalidInputError, match="no address of a bucket") as refused:
        BucketObjectStore(address)
    assert "hush" not in str(refused.value)


def test_google_and_azure_are_opened_by_their_own_variables(answering, monkeypatch, tmp_path):
    """The same port over their libraries; what is missing is said."""
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(UnavailableError, match=r"az://models/x .*Account must be specified"):
        BucketObjectStore("az://models/x").get("a")
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(tmp_path / "nothing.json"))
    with pytest.raises(UnavailableError, match="gs://models/x does not answer"):
        BucketObjectStore("gs://models/x").get("a")


def _put(address: str, name: str, size: int, begun) -> None:
    store = BucketObjectStore(address)
    store.put(f"{name}-first", b"")
    begun.set()
    store.put(name, b"x" * size)


def test_a_writer_that_is_killed_leaves_all_or_nothing(address):
    """At any moment of a put."""
    fork = multiprocessing.get_context("forkserver")
    size = 40_000_000
    for n, wait in enumerate((0.0, 0.01, 0.03)):
        begun = fork.Event()
        writer = fork.Process(target=_put, args=(address, f"killed-{n}", size, begun))
        writer.start()
        assert begun.wait(60)
        time.sleep(wait)
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        store = BucketObjectStore(address)
        found = [store.about(name).size for name in store.list(f"killed-{n}") if name == f"killed-{n}"]
        assert found in ([], [size])
        if not found:
            store.put(f"killed-{n}", b"again")


def test_a_copy_spares_the_network_and_never_gives_wrong_bytes(address, tmp_path):
    """What is named by its digest is read once; a copy that was changed is not used, and one that is gone is made again."""
    bucket = BucketObjectStore(address)
    name = put_content(bucket, "evidence", b"rows")
    CachedObjectStore(bucket, tmp_path).get(name)
    [copy] = tmp_path.iterdir()
    gone = CachedObjectStore(BucketObjectStore(f"{address}/elsewhere"), tmp_path)
    assert gone.get(name) == b"rows"
    copy.write_bytes(b"lie")
    with pytest.raises(NotFoundError):
        gone.get(name)
    assert CachedObjectStore(bucket, tmp_path).get(name) == b"rows"


def test_copies_are_bounded(address, tmp_path):
    """The least recently used goes, and what has no digest for a name is never kept."""
    store = CachedObjectStore(BucketObjectStore(address), tmp_path, largest=3_000)
    store.put(f"cache/{uuid.uuid4().hex}.parquet", b"x")
    names = [put_content(store, "evidence", bytes([n]) * 1_000) for n in range(40)]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3_000 + 16 * 1_000
    assert not list(tmp_path.glob("*.parquet"))
    assert all(digest(store.get(name)) == name.rpartition("/")[2] for name in names)


def test_a_folder_for_copies_that_cannot_be_written_is_done_without(address, tmp_path):
    """A file is in its way."""
    (tmp_path / "cache").write_text("in the way")
    store = CachedObjectStore(BucketObjectStore(address), tmp_path / "cache")
    assert store.get(put_content(store, "evidence", b"rows")) == b"rows"


def test_a_lie_is_not_kept(address, tmp_path):
    """And the store that counts is told to have it."""
    store = CachedObjectStore(BucketObjectStore(address), tmp_path)
    store.put(f"evidence/{'0' * 64}", b"lie")
    assert store.get(f"evidence/{'0' * 64}") == b"lie"
    assert not list(tmp_path.iterdir())


def test_sixteen_processes_have_one_winner(address):
    """Each with a client of its own, all at once."""
    fork = multiprocessing.get_context("forkserver")
    with fork.Pool(4) as pool:
        won = pool.starmap(_wins, [(address, "race", n) for n in range(16)])
    assert won.count(True) == 1


def _wins(address: str, name: str, n: int) -> bool:
    try:
        BucketObjectStore(address).put(name, str(n).encode())
    except AlreadyExistsError:
        return False
    return True
