"""Stores as a guarded child has them: it asks its parent, who reads for it; nothing can be written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from shipworthy.errors import UnavailableError
from shipworthy.live.shadow.frames import Found, Wanted
from shipworthy.project import Project
from shipworthy.store import ObjectStore, Record, RecordStore

Ask = Callable[[Wanted], Found]


@dataclass(frozen=True, kw_only=True)
class ReadThrough(Project):
    """A project whose stores are those of the parent, as far as reading the archive of logs needs them.

    Attributes:
        ask: Asks the parent.
    """

    ask: Ask

    @cached_property
    def records(self) -> RecordStore:
        """The record store, which can be searched by kind."""
        return cast("RecordStore", _Records(self.ask))

    @cached_property
    def objects(self) -> ObjectStore:
        """The object store, which gives bytes."""
        return cast("ObjectStore", _Objects(self.ask))


@dataclass(frozen=True, slots=True)
class _Records:
    ask: Ask

    def find(self, kind: str, *, prefix: str = "") -> Sequence[Record]:
        return _got(self.ask(Wanted(kind=kind, prefix=prefix))).records


@dataclass(frozen=True, slots=True)
class _Objects:
    ask: Ask

    def get(self, name: str) -> bytes:
        return _got(self.ask(Wanted(object=name))).content


def read_for(project: Project, wanted: Wanted) -> Found:
    """What a child asked for, read by its parent."""
    try:
        if wanted.kind:
            return Found(records=list(project.records.find(wanted.kind, prefix=wanted.prefix)))
        return Found(content=project.objects.get(wanted.object))
    except Exception as error:  # noqa: BLE001  (whatever is wrong with a store is the child's to hear, not the parent's end)
        return Found(trouble=str(error))


def _got(found: Found) -> Found:
    if found.trouble:
        raise UnavailableError(found.trouble)
    return found
