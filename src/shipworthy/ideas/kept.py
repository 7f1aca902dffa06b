"""The ideas of a project, kept current: who asks again pays for the files and records that changed."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from shipworthy.errors import InvalidInputError
from shipworthy.ideas.files import IDEAS_FOLDER, SETTLED_NS, read_file
from shipworthy.ideas.idea import Idea, named
from shipworthy.ideas.recorded import recorded_ideas
from shipworthy.ideas.written import idea_in, twice
from shipworthy.project import Project
from shipworthy.store import Record

_Stamp = tuple[int, ...]


class KeptIdeas:
    """Every idea of a project; it may be used from one thread at a time."""

    def __init__(self, project: Project) -> None:
        """Reads nothing yet."""
        self._project = project
        self._stamps: dict[str, _Stamp] = {}
        self._numbers: dict[str, int] = {}
        self._here: dict[int, Idea] = {}
        self._records: Mapping[str, Record] = {}
        self._ideas: Mapping[int, Idea] = {}

    def read(self) -> Mapping[int, Idea]:
        """The ideas by number, as of now; one that did not change is the very same object.

        Raises:
            InvalidInputError: a file cannot be read, or two have the same number.
        """
        if self._read_files() | self._read_records():
            there = {int(key): record for key, record in self._records.items()}
            only = {number: idea_in(there[number]) for number in there.keys() - self._here.keys()}
            self._ideas = {number: idea for number, idea in only.items() if idea is not None} | self._here
        return self._ideas

    def _read_files(self) -> bool:
        stamps = self._look()
        if stamps == self._stamps:
            return False
        folder = self._project.root / IDEAS_FOLDER
        numbers = {name: self._numbers.get(name) or named(folder / name)[0] for name in stamps}
        self._refuse_twice(numbers)
        changed = [name for name, stamp in stamps.items() if self._stamps.get(name) != stamp]
        fresh = {numbers[name]: read_file(folder / name) for name in changed}
        gone = set(self._numbers.values()) - set(numbers.values())
        self._here = {number: idea for number, idea in self._here.items() if number not in gone} | fresh
        self._numbers = numbers
        settled = time.time_ns() - SETTLED_NS
        self._stamps = {name: stamp for name, stamp in stamps.items() if max(stamp[:2]) < settled}
        return True

    def _look(self) -> dict[str, _Stamp]:
        try:
            with os.scandir(self._project.root / IDEAS_FOLDER) as entries:
                found = [(entry.name, entry.stat()) for entry in entries if entry.name.endswith(".toml")]
        except FileNotFoundError:  # no folder yet, or a file that went while it was looked at
            return self._look() if (self._project.root / IDEAS_FOLDER).is_dir() else {}
        return {name: (about.st_mtime_ns, about.st_ctime_ns, about.st_size, about.st_ino) for name, about in found}

    def _refuse_twice(self, numbers: Mapping[str, int]) -> None:
        if len(set(numbers.values())) == len(numbers):
            return
        folder = self._project.root / IDEAS_FOLDER
        seen: dict[int, str] = {}
        for name in sorted(numbers):
            if numbers[name] in seen:
                fault: InvalidInputError = twice(folder / seen[numbers[name]], folder / name)
                raise fault
            seen[numbers[name]] = name

    def _read_records(self) -> bool:
        records = recorded_ideas(self._project)
        if len(records) == len(self._records) and all(self._records.get(key) is one for key, one in records.items()):
            return False
        self._records = records
        return True
