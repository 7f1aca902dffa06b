"""A project: a folder with `shipworthy.toml`, its stores and its settings."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.project.clock import now
from shipworthy.project.role import SQUAD
from shipworthy.project.section import read_toml
from shipworthy.store import ObjectStore, RecordStore
from shipworthy.store.address import open_objects, open_records

CONFIG_NAME = "shipworthy.toml"
WORKSPACE_NAME = "workspace.toml"

_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "project": {"problems": [], "name": "", "squad": ""},
    "store": {"records": ".shipworthy/records.db", "objects": ".shipworthy/objects"},
    "research": {"workers": 0, "seed": 1, "engine": "processes", "ray_address": ""},
    "live": {"log": ".shipworthy/log", "keep": "", "watch": False, "traces": False},
    "release": {"allow_unsigned": []},
    "watch": {"window": "28d", "service": "", "running_cost": 0.0, "webhook": "", "slack": ""},
    "jobs": {"at_once": 2, "limit": "12h"},
    "notices": {
        "webhook": "",
        "slack": "",
        "secret": "",
        "on": ["gate", "verdict", "override", "signoff", "rollout", "rollback", "alert"],
    },
    "programme": {"day_rate": 0.0},
    "rollout": {},
    "signoffs": {"research": [], "ship": [], "live": [], "four_eyes": False, "proved": False},
    "mlflow": {"tracking_uri": "", "experiment": "shipworthy"},
}
"""Every section and setting there is, with its default; the default's type is the setting's type."""

_READ_LATER = ("rollout",)
"""Sections that hold one section a problem, and are read where the problem is known."""

_TEXTS: Mapping[str, tuple[str, str]] = {
    "name": (r"([a-z0-9][a-z0-9-]{0,62})?", "small letters, digits and '-', such as 'kitchen'"),
    "squad": (r"([a-z0-9][a-z0-9-]{0,62})?", "small letters, digits and '-', such as 'food'"),
    "engine": (r"processes|ray", "'processes' or 'ray'"),
    "ray_address": (r"((ray://)?[\w.-]+:\d{1,5})?", "'host:port', 'ray://host:port', or empty to start Ray here"),
    "keep": (r"([1-9]\d*[hdw])?", "a span such as '400d', or empty to keep logs for ever"),
    "limit": (r"[1-9]\d*[mhdw]", "a span such as '12h'"),
    "window": (r"[1-9]\d*[hdw]", "a span such as '28d'"),
    "service": (r"(https?://\S+)?", "the address of the service, as 'http://127.0.0.1:8000'"),
    "webhook": (r"((https?://|\$)\S+)?", "an address, or '$NAME' of an environment variable that holds it"),
    "secret": (
        r"(\$[A-Za-z_]\w*)?",
        "'$NAME' of the environment variable that holds it: a secret does not stand in a file",
    ),
    "slack": (r"((https?://|\$)\S+)?", "an address, or '$NAME' of an environment variable that holds it"),
    "experiment": (r"\S(.*\S)?", "the name of an experiment"),
}
"""What the settings with a form of their own have to look like, as a pattern and in words."""


@dataclass(frozen=True)
class Project:
    """One repository of a squad.

    Attributes:
        root: The folder that holds `shipworthy.toml`.
        settings: Every setting of that file, defaults filled in, by section; the sign-offs that its workspace asks for at least
            are added to its own.
    """

    root: Path
    settings: Mapping[str, Mapping[str, Any]]

    @cached_property
    def records(self) -> RecordStore:
        """The record store that the configuration names; opened at first use."""
        return open_records(str(self.settings["store"]["records"]), root=self.root, space=self.space, clock=now)

    @cached_property
    def objects(self) -> ObjectStore:
        """The object store that the configuration names."""
        return open_objects(str(self.settings["store"]["objects"]), root=self.root, space=self.space)

    @property
    def name(self) -> str:
        """What the project is called: as `[project] name` says, else as its folder."""
        said = str(self.settings["project"]["name"])
        return said or re.sub(r"[^a-z0-9]+", "-", self.root.name.lower()).strip("-")[:63].strip("-") or "project"

    @property
    def squad(self) -> str:
        """The squad that it belongs to; empty where there is only one."""
        return str(self.settings["project"]["squad"])

    @property
    def space(self) -> str:
        """Its place in a store that it shares with other projects: "squad/name"."""
        return f"{self.squad}/{self.name}" if self.squad else self.name

    @property
    def references(self) -> tuple[str, ...]:
        """Where the problems are declared, each as "module:name"."""
        return tuple(self.settings["project"]["problems"])

    @property
    def log_folder(self) -> Path:
        """Where the service writes its decision log and outcomes."""
        return self.root / str(self.settings["live"]["log"])

    @property
    def workers(self) -> int:
        """How many processes replay; 0 in the configuration means one per core."""
        return int(self.settings["research"]["workers"]) or os.cpu_count() or 1

    @property
    def seed(self) -> int:
        """The seed from which every other is derived."""
        return int(self.settings["research"]["seed"])

    @cached_property
    def who(self) -> str:
        """The name under which records are written."""
        return user_of_the_machine()

    def acting(self, who: str) -> Project:
        """The same project over the same stores, in which somebody else writes."""
        other = Project(root=self.root, settings=self.settings)
        other.__dict__.update(records=self.records, objects=self.objects, who=who)
        return other


def user_of_the_machine() -> str:
    """Who works here: SHIPWORTHY_USER, else the login name."""
    try:
        return os.environ.get("SHIPWORTHY_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container user without an entry in the password file
        return f"uid {os.getuid()}"


def open_project(start: Path | None = None) -> Project:
    """Opens the project that a folder belongs to, looking upwards for `shipworthy.toml`.

    Raises:
        NotFoundError: no folder up to the root has one.
        InvalidInputError: it is not TOML, or holds what is not a setting.
    """
    folder = (start or Path.cwd()).resolve()
    for place in (folder, *folder.parents):
        if (place / CONFIG_NAME).is_file():
            return Project(root=place, settings=_with_minimum(place, _read(place / CONFIG_NAME)))
    raise NotFoundError(
        f"No {CONFIG_NAME} in {folder} or above. Go to your project's folder, or lay a small working problem here with "
        "`shipworthy init`."
    )


def _read(path: Path) -> Mapping[str, Mapping[str, Any]]:
    given = read_toml(path)
    _refuse_unknown(path, "section", given, _SETTINGS)
    return {
        section: _section(path, section, defaults, given.get(section, {})) for section, defaults in _SETTINGS.items()
    }


def _with_minimum(root: Path, settings: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """The settings, with the sign-offs added that every workspace above asks for in its projects."""
    asked = settings["signoffs"]
    for above in (place / WORKSPACE_NAME for place in (root, *root.parents)):
        if above.is_file():
            least = _section(above, "signoffs", _SETTINGS["signoffs"], read_toml(above).get("signoffs", {}))
            asked = {name: _both(least[name], value) for name, value in asked.items()}
    return {**settings, "signoffs": asked}


def _both(least: Any, own: Any) -> Any:
    return least or own if isinstance(own, bool) else list(dict.fromkeys([*least, *own]))


def _section(path: Path, section: str, defaults: Mapping[str, Any], given: Any) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise InvalidInputError(f"{path}: {section} must be a section: write [{section}] on a line of its own.")
    if section in _READ_LATER:
        return given
    _refuse_unknown(path, f"setting in [{section}]", given, defaults)
    for name, value in given.items():
        if type(value) is not type(defaults[name]):
            wanted = type(defaults[name]).__name__
            raise InvalidInputError(f"{path}: {section}.{name} must be a {wanted}, not {value!r}.")
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise InvalidInputError(f"{path}: {section}.{name} must be a list of texts in quotes, not {value!r}.")
        if section == "signoffs" and isinstance(value, list) and not {*value} <= SQUAD:
            raise InvalidInputError(
                f"{path}: {section}.{name} must be a list of roles, any of {', '.join(sorted(SQUAD))}, not {value!r}."
            )
        if name == "workers" and value < 0:
            raise InvalidInputError(f"{path}: {section}.{name} must be 0, for one per core, or more, not {value!r}.")
        if name in _TEXTS and not re.fullmatch(_TEXTS[name][0], value):
            raise InvalidInputError(f"{path}: {section}.{name} must be {_TEXTS[name][1]}, not {value!r}.")
    return {**defaults, **given}


def _refuse_unknown(path: Path, noun: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for name in given:
        if name not in known:
            message = NotFoundError.among(noun, name, known)
            raise InvalidInputError(f"{path}: {message}")
