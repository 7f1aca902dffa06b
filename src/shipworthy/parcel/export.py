"""The verb behind `shipworthy export`: everything of a project, or of one of its problems, in open formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from shipworthy.errors import NotFoundError
from shipworthy.ideas.register import list_ideas
from shipworthy.parcel.belonging import Thing, about
from shipworthy.parcel.contents import MANIFEST, README, RECORDS, TEXTS, Manifest, path_of, to_line
from shipworthy.parcel.files import writing
from shipworthy.parcel.tables import tables_of
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.store import Head, ObjectStore, Record, canonical, digest, feed, get_content
from shipworthy.store.chain import checked, stamp
from shipworthy.store.objects import names_in

_LARGEST_JSON = 10_000_000

_Put = Callable[[str, bytes], None]
_READ_ME = """\
# {what}

Written by `shipworthy export` at {at}, from the records up to `{head}`.

- `{records}`: every version of every record, a line of JSON each, in the order in which they were written. They are whole, so
  that they can be taken in again: they and the evidence below `objects/` hold the figures of sealed holdouts too
- `tables/`: the same for a spreadsheet, one CSV file a kind (`ideas.csv`, `verdicts.csv`, `rollouts.csv`, ...), and
  `records.parquet` for SQL; what a sealed holdout withholds is in none of them
- `ideas/`, `contracts/`: the texts; `keys/`: the public keys of those who sign releases
- `objects/`: what the records name, under the SHA-256 of its content: `snapshots`, `evidence`, `quarantine` and `logs` are
  Parquet, a release is a manifest in `releases` and its files in `release-files`
- `{manifest}`: what is here, with the SHA-256 of every file

The problem's own code is in none of this, but in the releases and in your repository. `shipworthy import` takes it all in again,
in any project: records keep their versions, instants and authors.
"""


def export_project(project: Project, place: Path, *, problem: str = "") -> Manifest:
    """Writes a parcel: a zip file where the name ends so, else a folder; wholly or not at all.

    Args:
        project: Whose records, objects and texts.
        place: Where to.
        problem: The one problem that it is to be about; empty takes all.

    Raises:
        AlreadyExistsError: there is something of that name.
        NotFoundError: no record is about the problem.
        TamperedError: a record or an object was changed.
        UnavailableError: a store or the disk does not answer.
    """
    head = project.records.head()
    things, ideas = about(project, problem) if problem else (None, None)
    with writing(place) as taking:
        files: dict[str, str] = {}

        def put(path: str, content: bytes) -> None:
            taking.put(path, content)
            files[path] = digest(content)

        records = list(_wanted(project, head, things))
        put(RECORDS, b"".join(to_line(record) for record in records))
        objects, missing = _objects(project.objects, records, put)
        for text in _texts(project.root, ideas):
            put(text.relative_to(project.root).as_posix(), text.read_bytes())
        for path, content in tables_of(records, [i for i in list_ideas(project) if ideas is None or i.key in ideas]):
            put(path, content)
        put(README, _read_me(project, problem, head))
        manifest = Manifest(
            space=project.space,
            problem=problem,
            head=str(head),
            at=stamp(now()),
            by=project.who,
            records=len(records),
            objects=objects,
            missing=missing,
            files=dict(sorted(files.items())),
        )
        taking.put(MANIFEST, manifest.content)
    return manifest


def _wanted(project: Project, head: Head, things: set[Thing] | None) -> Iterator[Record]:
    for record in checked(feed(project.records)):
        if record.seq > head.seq:
            return
        if things is None or (record.kind, record.key) in things:
            yield record


def _objects(store: ObjectStore, records: Iterable[Record], put: _Put) -> tuple[dict[str, str], list[str]]:
    """Puts what the records name, and what that names in turn; gives where it lies, and what is not there any more."""
    waiting = sorted({name for record in records for name in names_in(canonical(record.body))})
    dropped = {name for record in records if record.body.get("dropped") for name in names_in(canonical(record.body))}
    objects: dict[str, str] = {}
    missing: list[str] = []
    while waiting:
        name = waiting.pop()
        if name in objects or name in missing or name in dropped:
            continue
        try:
            content = get_content(store, name)
        except NotFoundError:
            missing.append(name)
            continue
        objects[name] = path_of(name, content)
        put(objects[name], content)
        if len(content) <= _LARGEST_JSON and content.startswith(b"{"):
            waiting += names_in(content)
    return dict(sorted(objects.items())), sorted(missing)


def _texts(root: Path, ideas: set[str] | None) -> Iterator[Path]:
    for path in sorted(path for pattern in TEXTS for path in root.glob(pattern) if path.is_file()):
        if ideas is None or path.parent.name != "ideas" or path.name.partition("-")[0].zfill(4) in ideas:
            yield path


def _read_me(project: Project, problem: str, head: Head) -> bytes:
    what = f"Problem {problem} of {project.space}" if problem else f"Project {project.space}"
    said = {"what": what, "at": stamp(now()), "head": head, "records": RECORDS, "manifest": MANIFEST}
    return _READ_ME.format(**said).encode()
