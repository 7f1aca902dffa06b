"""What is in a parcel, as its manifest says it, and where each thing lies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, get_type_hints

from shipworthy.errors import InvalidInputError
from shipworthy.store import Head, Record, canonical
from shipworthy.store.chain import plain

TITLE = "shipworthy parcel"
FORMAT = 1
MANIFEST, RECORDS, README = "manifest.json", "records.jsonl", "README.md"
TEXTS = ("ideas/*.toml", "contracts/*.toml", "keys/*.pub")
"""The texts of a project that travel with its records."""

_TEXT = re.compile(r"(ideas|contracts|keys)/[A-Za-z0-9_-][A-Za-z0-9._-]*\.(toml|pub)")
_PARQUET, _JSON = b"PAR1", b"{"
_FIELDS = {"seq": int, "kind": str, "key": str, "version": int, "at": str, "by": str, "body": dict, "chain": str}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a parcel holds.

    Attributes:
        space: The project it comes from, "squad/name".
        problem: The one problem that it is about; empty where it is about all.
        head: The head of the records it comes from, as `seq:chain`.
        at: When it was written, in UTC.
        by: Who wrote it.
        records: How many records are in it.
        objects: Where each object lies in it, by the object's name.
        missing: Objects that records name, and that were no longer there.
        files: The SHA-256 of each of its files, by their paths.
    """

    space: str
    problem: str
    head: str
    at: str
    by: str
    records: int
    objects: Mapping[str, str]
    missing: list[str]
    files: Mapping[str, str]

    @property
    def content(self) -> bytes:
        """It as a file, for people too."""
        said = {"title": TITLE, "format": FORMAT, **asdict(self)}
        return json.dumps(said, indent=1, ensure_ascii=False).encode() + b"\n"

    @property
    def texts(self) -> list[str]:
        """The texts in it that belong into a project's folder."""
        return [path for path in self.files if _TEXT.fullmatch(path)]


def read_manifest(content: bytes, parcel: str) -> Manifest:
    """What a manifest says.

    Raises:
        InvalidInputError: it is none, is of a newer shipworthy, or a field is of a wrong type.
    """
    try:
        said = json.loads(content)
        is_known = said.pop("title", None) == TITLE
    except (ValueError, AttributeError, TypeError, RecursionError):
        is_known = False
    if not is_known:
        raise InvalidInputError(
            f"{parcel} is no parcel: its {MANIFEST} says something else. `shipworthy export` writes one."
        )
    if said.pop("format", None) != FORMAT:
        raise InvalidInputError(f"{parcel} was written by a newer shipworthy. Upgrade, then repeat the command.")
    wanted: dict[str, Any] = {"objects": dict, "files": dict, "missing": list, "records": int}
    fields = {name: wanted.get(name, str) for name in get_type_hints(Manifest)}
    wrong = [name for name, kind in fields.items() if type(said.get(name)) is not kind]
    texts = [text for name in ("objects", "files") if name not in wrong for text in said[name].values()]
    if wrong or set(said) != set(fields) or not all(isinstance(text, str) for text in texts):
        raise InvalidInputError(
            f"{parcel}: its {MANIFEST} is damaged at {', '.join(wrong) or 'a name or a path'}. It is not used."
        )
    return Manifest(**said)


def path_of(name: str, content: bytes) -> str:
    """Where an object lies in a parcel: under its name, with an ending by which people know what opens it.

    >>> path_of("evidence/12", b"PAR1...")
    'objects/evidence/12.parquet'
    """
    ending = ".parquet" if content.startswith(_PARQUET) else ".json" if content.startswith(_JSON) else ""
    return f"objects/{name}{ending}"


def to_line(record: Record) -> bytes:
    """A record as a line of JSON."""
    return canonical({**plain(record), "chain": record.chain}) + b"\n"


def from_line(line: bytes, number: int, parcel: str) -> Record:
    """The record of a line.

    Raises:
        InvalidInputError: it is none; the number of the line is named.
    """
    try:
        said = json.loads(line)
        is_record = isinstance(said, dict) and {name: type(value) for name, value in said.items()} == _FIELDS
        if is_record and said["version"] > 0:
            return Record(**{**said, "at": _instant(said["at"])})
    except (ValueError, RecursionError):
        pass
    raise InvalidInputError(f"{parcel}: line {number} of {RECORDS} is no record. It is not used.")


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at


def head_of(manifest: Manifest) -> Head:
    """The head that a manifest names."""
    seq, _, chain = manifest.head.partition(":")
    return Head(int(seq) if seq.isdecimal() else -1, chain)
