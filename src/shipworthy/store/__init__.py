"""Records and objects: two small ports, and what stands behind them on a laptop.

Records are small, versioned and append-only (ideas, answers, verdicts, rollouts). Objects are bytes that never change
(snapshots, evidence, releases), mostly named by their digest.
"""

from shipworthy.store.digest import canonical, digest
from shipworthy.store.folder import FolderObjectStore
from shipworthy.store.log import read_log
from shipworthy.store.objects import ObjectStore, get_content, put_content
from shipworthy.store.records import Change, Head, Record, RecordStore, feed
from shipworthy.store.sqlite import SqliteRecordStore

__all__ = [
    "Change",
    "FolderObjectStore",
    "Head",
    "ObjectStore",
    "Record",
    "RecordStore",
    "SqliteRecordStore",
    "canonical",
    "digest",
    "feed",
    "get_content",
    "put_content",
    "read_log",
]
