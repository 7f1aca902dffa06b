"""What every back end must pass: inherit the class, give it a store, and pytest does the rest.

    class TestMyRecordStore(RecordStoreConformance):
        @pytest.fixture
        def open_store(self, tmp_path):
            return lambda: MyRecordStore(tmp_path / "records")

`open_store` opens the same store each time it is called, as another process would.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from shipworthy.errors import AlreadyExistsError, InvalidInputError, NotFoundError, PreconditionError, TamperedError
from shipworthy.store.chain import checked
from shipworthy.store.objects import ObjectStore, get_content, put_content
from shipworthy.store.records import START, Change, Head, RecordStore, feed
from shipworthy.store.sqlite import SqliteRecordStore

OpenRecords = Callable[[], RecordStore]
OpenObjects = Callable[[], ObjectStore]


class RecordStoreConformance:
    """The duties of a `RecordStore`."""

    def test_versions_count_from_one(self, open_store: OpenRecords) -> None:
        """Each addition is the next version, and the newest one is what `get` gives."""
        store = open_store()
        for title in ("first", "second"):
            store.add(Change(kind="idea", key="1", body={"title": title}), by="me")
        newest = store.get("idea", "1")
        assert newest is not None
        assert (newest.version, newest.body, newest.by) == (2, {"title": "second"}, "me")
        assert [record.version for record in store.history("idea", "1")] == [1, 2]

    def test_what_is_not_there_is_none(self, open_store: OpenRecords) -> None:
        """Asking for what does not exist is answered, not raised."""
        store = open_store()
        assert store.get("idea", "9") is None
        assert list(store.find("idea")) == []
        assert list(store.history("idea", "9")) == []
        for nobody in ("\0", "\ud800", "\U0010ffff"):
            assert (store.get("idea", nobody), list(store.history(nobody, "1"))) == (None, [])
            assert list(store.find("idea", prefix=nobody)) == []
        assert list(store.since(10**30)) == []

    def test_survives_reopening(self, open_store: OpenRecords) -> None:
        """What was added is there for the next process."""
        store = open_store()
        store.add(Change(kind="idea", key="1", body={"n": [1, 2.5, None, "ä"]}), by="me")
        store.close()
        again = open_store().get("idea", "1")
        assert again is not None
        assert again.body == {"n": [1, 2.5, None, "ä"]}

    def test_a_stale_writer_is_refused(self, open_store: OpenRecords) -> None:
        """A change that expects an older version fails, and all that was to be written with it."""
        store = open_store()
        store.add(Change(kind="rollout", key="k", body={}, expect=0), by="me")
        with pytest.raises(PreconditionError, match="at version 1"):
            store.add(
                Change(kind="idea", key="1", body={}), Change(kind="rollout", key="k", body={}, expect=0), by="other"
            )
        assert store.get("idea", "1") is None

    def test_one_of_many_writers_wins(self, open_store: OpenRecords) -> None:
        """Sixteen writers expect the same version: exactly one succeeds, the others are told."""
        store = open_store()
        store.add(Change(kind="rollout", key="k", body={"n": 0}), by="me")

        def write(n: int) -> bool:
            try:
                open_store().add(Change(kind="rollout", key="k", body={"n": n}, expect=1), by=f"writer {n}")
            except PreconditionError:
                return False
            return True

        with ThreadPoolExecutor(16) as pool:
            won = list(pool.map(write, range(16)))
        assert won.count(True) == 1
        assert len(store.history("rollout", "k")) == 2

    def test_no_update_is_lost(self, open_store: OpenRecords) -> None:
        """Sixteen writers without expectation all get in, each with its own version."""

        def write(n: int) -> int:
            return open_store().add(Change(kind="note", key="k", body={"n": n}), by="me")[0].version

        open_store()
        with ThreadPoolExecutor(16) as pool:
            versions = sorted(pool.map(write, range(16)))
        assert versions == list(range(1, 17))

    def test_the_past_can_be_asked(self, open_store: OpenRecords) -> None:
        """`at` gives the version that was newest at that instant."""
        store = open_store()
        first = store.add(Change(kind="rollout", key="k", body={"n": 1}), by="me")[0]
        second = store.add(Change(kind="rollout", key="k", body={"n": 2}), by="me")[0]
        assert first.at <= second.at
        assert store.get("rollout", "k", at=first.at - timedelta(microseconds=1)) is None
        then = store.get("rollout", "k", at=datetime.now(UTC) + timedelta(days=1))
        assert then is not None
        assert then.body == {"n": 2}

    def test_find_gives_the_newest_of_each(self, open_store: OpenRecords) -> None:
        """`find` gives one record per key, in the order of the keys, and nothing of another kind."""
        store = open_store()
        for key, n in (("b", 1), ("a", 1), ("b", 2)):
            store.add(Change(kind="idea", key=key, body={"n": n}), by="me")
        store.add(Change(kind="verdict", key="a", body={}), by="me")
        assert [(record.key, record.body["n"]) for record in store.find("idea")] == [("a", 1), ("b", 2)]

    def test_keys_are_found_by_how_they_begin(self, open_store: OpenRecords) -> None:
        """A prefix is letters, no pattern, and none means every key."""
        store = open_store()
        for key in ("0007", "0007/1", "0007/ä", "0007/\u6f22", "0007%", "0008", "007", "_007"):
            store.add(Change(kind="comment", key=key, body={}), by="me")
        assert [record.key for record in store.find("comment", prefix="0007/")] == ["0007/1", "0007/ä", "0007/\u6f22"]
        assert [record.key for record in store.find("comment", prefix="0007%")] == ["0007%"]
        assert [record.key for record in store.find("comment", prefix="_")] == ["_007"]
        assert [record.key for record in store.find("comment", prefix="9")] == []
        assert len(store.find("comment", prefix="")) == 8

    def test_the_feed_is_every_version_in_the_order_of_writing(self, open_store: OpenRecords) -> None:
        """Nothing that was ever added is left out, and who knows a part goes on after it."""
        store = open_store()
        assert (store.head(), list(store.since(0))) == (START, [])
        for kind, key, n in (("verdict", "a", 1), ("idea", "b", 2), ("idea", "a", 3), ("idea", "b", 4)):
            added = store.add(Change(kind=kind, key=key, body={"n": n}), by="me")
            assert (added[0].seq, store.head()) == (n, Head(n, added[0].chain))
        assert [(record.seq, record.body["n"]) for record in feed(open_store())] == [(n, n) for n in (1, 2, 3, 4)]
        assert [record.seq for record in store.since(1, limit=2)] == [2, 3]
        assert list(store.since(4)) == []

    def test_the_feed_has_no_gaps_whoever_writes(self, open_store: OpenRecords) -> None:
        """Sixteen writers of several changes each: who reads meanwhile, and goes on after the last it saw, misses none."""
        seen: list[int] = []
        store, written = open_store(), Event()

        def write(n: int) -> None:
            changes = [Change(kind="note", key=f"{n}/{part}", body={}) for part in range(3)]
            own = open_store()
            for _ in range(3):
                own.add(*changes, by="me")

        def follow() -> None:
            more = True
            while more:
                more = not written.is_set()
                seen.extend(record.seq for record in feed(store, seen[-1] if seen else 0))

        with ThreadPoolExecutor(17) as pool:
            following = pool.submit(follow)
            try:
                list(pool.map(write, range(16)))
            finally:
                written.set()
            following.result()
        assert seen == list(range(1, 16 * 9 + 1))
        assert [record.seq for record in checked(feed(store))] == seen

    def test_what_is_refused_leaves_no_gap(self, open_store: OpenRecords) -> None:
        """A change that was refused takes no place."""
        store = open_store()
        store.add(Change(kind="idea", key="1", body={}), by="me")
        with pytest.raises(PreconditionError):
            store.add(Change(kind="idea", key="2", body={}), Change(kind="idea", key="1", body={}, expect=0), by="me")
        assert store.add(Change(kind="idea", key="2", body={}), by="me")[0].seq == 2

    def test_the_chain_holds_over_whatever_can_be_said(self, open_store: OpenRecords) -> None:
        """What is read is hashed as it was written: numbers, letters, dates as text; and what nothing can hold is refused."""
        store = open_store()
        numbers = [1, 1.0, -0.0, 1e300, 10**30, 0.1 + 0.2]
        body = {"n": numbers, "ä": "\u6f22\U0001f600 \0", "at": datetime.now(UTC), "x": {2: None}}
        added = store.add(Change(kind="note", key="a'b\"c", body=body), by="ä \U0001f600")[0]
        assert next(checked(feed(open_store()))) == added
        assert added.body["x"] == {"2": None}
        for kind, key, by in (("note", "\0", "me"), ("note", "1", "\ud800"), ("\0", "1", "me")):
            with pytest.raises(InvalidInputError, match="cannot be recorded"):
                store.add(Change(kind=kind, key=key, body={}), by=by)
        with pytest.raises(InvalidInputError, match="cannot be recorded"):
            store.add(Change(kind="note", key="1", body={"text": "\ud800"}), by="me")
        assert store.head().seq == 1

    def test_tampering_is_named(self, open_store: OpenRecords) -> None:
        """Whatever of a record is changed, or if one is taken out or two change places, the first that does not hold is named."""
        store = open_store()
        for n in range(1, 6):
            store.add(Change(kind="note", key=str(n), body={"n": n}), by="me")
        told = list(store.since(0))
        assert list(checked(told)) == told
        assert list(checked(told[2:], Head(told[1].seq, told[1].chain))) == told[2:]
        later = told[2].at + timedelta(microseconds=1)
        lies: list[dict[str, Any]] = [
            {"kind": "idea"},
            {"key": "9"},
            {"version": 2},
            {"by": "you"},
            {"at": later},
            {"body": {}},
        ]
        for lie in lies:
            changed = [*told[:2], replace(told[2], **lie), *told[3:]]
            with pytest.raises(TamperedError, match="does not hold at record 3 "):
                list(checked(changed))
        for cut in (told[:2] + told[3:], [*told[:2], told[3], told[2], told[4]]):
            with pytest.raises(TamperedError, match="does not hold at record 3: it is not there"):
                list(checked(cut))
        with pytest.raises(TamperedError, match="does not hold at record 1"):
            list(checked(told, Head(0, "1" * 64)))

    def test_an_empty_store_takes_the_records_of_another(self, open_store: OpenRecords) -> None:
        """Restored records are what they were; a store that holds some refuses, and a broken chain leaves nothing behind."""
        there = SqliteRecordStore(Path(":memory:"))
        for n in range(1, 2501):
            there.add(Change(kind="note", key=str(n % 7), body={"n": n}), by="me")
        told, here = list(feed(there)), open_store()
        with pytest.raises(TamperedError, match="at record 2000 "):
            here.restore(replace(record, by="you") if record.seq == 2000 else record for record in told)
        assert (here.head(), list(here.find("note"))) == (START, [])
        assert here.restore(feed(there)) == there.head()
        assert list(feed(here)) == told
        assert list(here.find("note")) == list(there.find("note"))
        with pytest.raises(PreconditionError, match="holds 2500 records already"):
            here.restore(told)
        there.add(Change(kind="note", key="0", body={"n": "later"}), by="me")
        assert here.restore(feed(there, 2500)) == there.head()
        assert list(here.find("note")) == list(there.find("note"))
        assert here.add(Change(kind="note", key="1", body={}), by="me")[0].seq == 2502
        there.add(Change(kind="note", key="1", body={"n": "another"}), by="me")
        there.add(Change(kind="note", key="1", body={}), by="me")
        with pytest.raises(PreconditionError, match="holds 2502 records already"):
            here.restore(feed(there, 2502))
        there.close()


class ObjectStoreConformance:
    """The duties of an `ObjectStore`."""

    def test_round_trip(self, open_store: OpenObjects) -> None:
        """What was put is what is got, whatever the bytes, by the next process too."""
        content = bytes(range(256)) * 100
        open_store().put("a/b.bin", content)
        assert open_store().get("a/b.bin") == content

    def test_never_overwrites(self, open_store: OpenObjects) -> None:
        """A second put of a name is refused and changes nothing."""
        store = open_store()
        store.put("a", b"first")
        with pytest.raises(AlreadyExistsError):
            store.put("a", b"second")
        assert store.get("a") == b"first"

    def test_one_of_many_writers_wins(self, open_store: OpenObjects) -> None:
        """Of sixteen writers of one name exactly one succeeds."""

        def write(n: int) -> bool:
            try:
                open_store().put("race", str(n).encode())
            except AlreadyExistsError:
                return False
            return True

        with ThreadPoolExecutor(16) as pool:
            assert list(pool.map(write, range(16))).count(True) == 1

    def test_what_is_not_there(self, open_store: OpenObjects) -> None:
        """Getting a missing object says so; deleting one is no error."""
        store = open_store()
        with pytest.raises(NotFoundError, match="nothing/here"):
            store.get("nothing/here")
        with pytest.raises(NotFoundError, match="nothing/here"):
            store.about("nothing/here")
        store.delete("nothing/here")

    def test_about(self, open_store: OpenObjects) -> None:
        """Size and time of an object are known without reading it."""
        store, before = open_store(), datetime.now(UTC) - timedelta(minutes=5)
        store.put("a", b"12345")
        assert store.about("a").size == 5
        assert before < store.about("a").at < datetime.now(UTC) + timedelta(minutes=5)

    def test_list_and_delete(self, open_store: OpenObjects) -> None:
        """Names come in order, by prefix, and go when deleted."""
        store = open_store()
        for name in ("x/2", "x/1", "y/1"):
            store.put(name, b"")
        assert list(store.list("x/")) == ["x/1", "x/2"]
        store.delete("x/1")
        assert list(store.list()) == ["x/2", "y/1"]

    def test_names_stay_inside(self, open_store: OpenObjects) -> None:
        """A name which leads elsewhere is refused."""
        store = open_store()
        for name in ("../x", "/x", "a//b", "a/../b", "", "a\\b", "a b"):
            with pytest.raises(InvalidInputError):
                store.put(name, b"")

    def test_content_is_checked(self, open_store: OpenObjects) -> None:
        """Bytes under a digest that is not theirs are refused; the same bytes twice cost nothing."""
        store = open_store()
        name = put_content(store, "c", b"true")
        assert put_content(store, "c", b"true") == name
        assert get_content(store, name) == b"true"
        store.delete(name)
        store.put(name, b"lie")
        with pytest.raises(TamperedError, match="changed or damaged"):
            get_content(store, name)
