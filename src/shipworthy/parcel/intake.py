"""The verb behind `shipworthy import`: takes a parcel into a project, with its history.

Everything is checked before anything is written. Then objects and texts are laid, which nothing leads to yet, and last all
records in one transaction: whoever is killed in between repeats the command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from shipworthy.errors import AlreadyExistsError, PreconditionError, TamperedError
from shipworthy.parcel.contents import (
    MANIFEST,
    RECORDS,
    Manifest,
    from_line,
    head_of,
    read_manifest,
)
from shipworthy.parcel.files import Giving, reading
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.store import Head, Record, digest, put_content
from shipworthy.store.chain import checked, link
from shipworthy.store.objects import is_named_by_digest, refuse_bad_name

KIND = "import"
"""The kind of the record that says where a parcel came from."""

_TRIES = 5
_NUMBER = re.compile(r"ideas/0*(\d+)-")


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What was taken in.

    Attributes:
        manifest: What the parcel says of itself.
        head: The head of the project's records now.
        texts: The texts that were laid into the project's folder.
        keys: The public keys in the parcel, which nobody trusts here by that.
    """

    manifest: Manifest
    head: Head
    texts: Sequence[str]
    keys: Sequence[str]


def import_parcel(project: Project, place: Path) -> TakenIn:
    """Takes a parcel in: records keep their versions, instants and authors, and get places of this project.

    Raises:
        NotFoundError: there is nothing of that name.
        InvalidInputError: it is no parcel.
        TamperedError: a byte of it was changed.
        AlreadyExistsError: the project has some of it already, or something else of the same number or name.
        UnavailableError: a store or the disk does not answer.
    """
    with reading(place) as giving:
        content = giving.get(MANIFEST)
        manifest = read_manifest(content, str(place))
        _refuse_known(project, content)
        _refuse_changed(giving, manifest, str(place))
        records = _records(giving, manifest, str(place))
        _refuse_clashes(project, records)
        texts = [path for path in manifest.texts if not path.startswith("keys/")]
        _refuse_other_texts(project, texts, manifest)
        for name, path in manifest.objects.items():
            put_content(project.objects, name.rpartition("/")[0], giving.get(path))
        for path in texts:
            _lay(project.root / path, giving.get(path))
        head = _take_in(project, records, manifest, content)
    keys = [path for path in manifest.texts if path.startswith("keys/")]
    return TakenIn(manifest=manifest, head=head, texts=texts, keys=keys)


def _refuse_known(project: Project, manifest: bytes) -> None:
    known = project.records.get(KIND, digest(manifest)[:16])
    if known is not None:
        raise AlreadyExistsError(f"This parcel was taken in already, by {known.by} at {known.at:%Y-%m-%d %H:%M:%S}.")


def _refuse_changed(giving: Giving, manifest: Manifest, parcel: str) -> None:
    """Refuses a parcel of which a file is not the one that the manifest names, or which uses one that it does not name."""
    for path in [RECORDS, *manifest.objects.values()]:
        if path not in manifest.files:
            raise TamperedError(f"{parcel}: {MANIFEST} does not name {path}, which is needed. It is not used.")
    for path, expected in manifest.files.items():
        if digest(giving.get(path)) != expected:
            raise TamperedError(f"{parcel}: {path} was changed after it was written. Nothing of it is used.")
    for name, path in manifest.objects.items():
        if not is_named_by_digest(name) or manifest.files[path] != name.rpartition("/")[2]:
            raise TamperedError(f"{parcel}: object {name!r} is not what its name promises. Nothing of it is used.")
        refuse_bad_name(name)


def _records(giving: Giving, manifest: Manifest, parcel: str) -> list[Record]:
    """The records; where they are all of a project, they are held against the chain and the head as well."""
    lines = giving.get(RECORDS).splitlines()
    records = [from_line(line, number, parcel) for number, line in enumerate(lines, start=1)]
    if len(records) != manifest.records:
        raise TamperedError(f"{parcel} holds {len(records):,} records, not {manifest.records:,}. It is not used.")
    if not manifest.problem:
        last = [Head(record.seq, record.chain) for record in checked(records)][-1:]
        if last != [head_of(manifest)] and (records or head_of(manifest).seq):
            raise TamperedError(f"{parcel}: the records do not end with the head {manifest.head}. It is not used.")
    versions: dict[tuple[str, str], int] = {}
    for record in records:
        thing = (record.kind, record.key)
        if record.version != versions.get(thing, 0) + 1:
            raise TamperedError(
                f"{parcel}: version {record.version} of {record.kind} {record.key!r} follows none before it. It is not used."
            )
        versions[thing] = record.version
    return records


def _refuse_clashes(project: Project, records: Iterable[Record]) -> None:
    """Refuses a parcel of which this project has a thing already."""
    here = {kind: {known.key for known in project.records.find(kind)} for kind in {record.kind for record in records}}
    clashes = sorted({f"{record.kind} {record.key!r}" for record in records if record.key in here[record.kind]})
    if clashes:
        raise AlreadyExistsError(
            f"{project.space} has {len(clashes):,} of these things already, such as {', '.join(clashes[:3])}. A history is "
            "taken in whole or not at all: take it into a project of its own."
        )


def _refuse_other_texts(project: Project, texts: Iterable[str], manifest: Manifest) -> None:
    """Refuses texts for which there is another one here: of that name, or, of an idea, of that number."""
    here = {
        _number(path.relative_to(project.root).as_posix()): path for path in (project.root / "ideas").glob("*.toml")
    }
    for text in texts:
        place = project.root / text
        if place.is_symlink() or (place.exists() and digest(place.read_bytes()) != manifest.files[text]):
            raise AlreadyExistsError(
                f"There is another {text} here. Move it away, or take the parcel into another project."
            )
        other = here.get(_number(text)) if text.startswith("ideas/") else None
        if other is not None and other.name != place.name:
            raise AlreadyExistsError(f"{other} has the number of {text}. Take the parcel into another project.")


def _number(path: str) -> int | None:
    found = _NUMBER.match(path)
    return int(found[1]) if found else None


def _lay(place: Path, content: bytes) -> None:
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = place.with_name(f".partial-{place.name}")
        partial.write_bytes(content)
        partial.replace(place)


def _take_in(project: Project, records: list[Record], manifest: Manifest, content: bytes) -> Head:
    """Adds the records after those that are here, and one that says where they come from, all of them or none."""
    said = {
        "space": manifest.space,
        "problem": manifest.problem or None,
        "head": manifest.head,
        "exported": {"at": manifest.at, "by": manifest.by},
        "manifest": digest(content),
        "records": manifest.records,
        "objects": len(manifest.objects),
        "missing": list(manifest.missing),
    }
    told = Record(kind=KIND, key=digest(content)[:16], version=1, at=now(), by=project.who, body=said, seq=0, chain="")
    for _ in range(_TRIES):
        try:
            return project.records.restore(_following([*records, told], project.records.head()))
        except PreconditionError:  # somebody wrote meanwhile
            _refuse_clashes(project, records)
    raise PreconditionError(f"{project.space} is written to all the while. Stop what writes, then repeat the command.")


def _following(records: Iterable[Record], head: Head) -> Iterator[Record]:
    """The records as they stand after a head."""
    for record in records:
        placed = replace(record, seq=head.seq + 1, chain="")
        head = Head(placed.seq, link(placed, head.chain))
        yield replace(placed, chain=head.chain)
