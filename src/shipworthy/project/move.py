"""The verb behind `shipworthy store move`: a project's records and objects copied to other stores, and compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shipworthy.errors import AlreadyExistsError, InvalidInputError
from shipworthy.project.clock import now
from shipworthy.project.project import CONFIG_NAME, Project
from shipworthy.project.rewritten import write_settings
from shipworthy.store import ObjectStore
from shipworthy.store.address import open_objects, open_records
from shipworthy.store.move import Done, Moved, Stores, move_stores
from shipworthy.variable import held


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectMoved:
    """What was moved, and what is to be done now.

    Attributes:
        stores: What lies at the target, compared with the source.
        settings: What `[store]` in `shipworthy.toml` is to say from now on.
        is_written: Whether it says so already.
    """

    stores: Moved
    settings: Mapping[str, str]
    is_written: bool


def move_project(
    project: Project, *, records: str | None, objects: str | None, write: bool = False, done: Done = lambda n, of: None
) -> ProjectMoved:
    """Copies the project's stores to other addresses; they themselves stay as they are.

    Args:
        project: Whose stores these are.
        records: Where the records are to lie; None leaves them.
        objects: Where the objects are to lie; None leaves them.
        write: Whether to change `shipworthy.toml` at the end.
        done: Told how many objects are done, and of how many.

    Raises:
        InvalidInputError: neither is to be moved, or an address is none.
        AlreadyExistsError: the target is the source, or holds what the source does not.
        ShipworthyError: see `move_stores`.
    """
    settings = {name: said for name, said in (("records", records), ("objects", objects)) if said}
    if not settings:
        raise InvalidInputError("There is nothing to move. Say --records ADDRESS, --objects ADDRESS or both.")
    for name, said in settings.items():
        _refuse_same(project, name, said)
    here = str(project.settings["store"]["objects"])
    source = Stores(project.records, _objects(project, here) if objects else None)
    target = Stores(
        open_records(records, root=project.root, space=project.space, clock=now) if records else None,
        _objects(project, objects) if objects else None,
    )
    try:
        moved = move_stores(source, target, done)
    finally:
        if target.records:
            target.records.close()
    if write:
        write_settings(project.root / CONFIG_NAME, "store", settings)
    return ProjectMoved(stores=moved, settings=settings, is_written=write)


def _objects(project: Project, address: str) -> ObjectStore:
    """The objects themselves, and no copy of them."""
    return open_objects(address, root=project.root, space=project.space, copies=False)


def _refuse_same(project: Project, name: str, said: str) -> None:
    """Refuses to move something to where it lies."""
    now = str(project.settings["store"][name])
    here, there = (_place(project.root, held(address, f"store.{name}")) for address in (now, said))
    if here == there:
        raise AlreadyExistsError(f"The {name} lie at {said} already. Name another place.")


def _place(root: Path, address: str) -> str:
    return address.rstrip("/") if "://" in address else str((root / address.removeprefix("sqlite:")).resolve())
