"""The verbs of the command line, as somebody far away asks for them: what each takes follows from the command itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal

import click
import msgspec
from msgspec import Meta, Struct, defstruct

from shipworthy.cli.app import find_command
from shipworthy.errors import NotFoundError
from shipworthy.store import digest
from shipworthy.web.remote import REMOTE, Remote
from shipworthy.workspace.job import File, Task
from shipworthy.workspace.role import Permission

_TEXT = Annotated[str, Meta(max_length=10_000, pattern=r"^[^\x00]*$")]
_MOST = 1_000
_TYPES: Mapping[type[click.ParamType[Any]], Any] = {
    type(click.INT): int,
    type(click.FLOAT): float,
    type(click.BOOL): bool,
    type(click.STRING): _TEXT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """A verb that can be asked for from far away.

    Attributes:
        name: Its words with '-' between them: "research", "release-list".
        words: The words as the command line has them.
        says: Its help, in a sentence or two.
        remote: Who may ask for it, and what of it is left out.
        parameters: What it takes, by the names that a request gives.
        body: The type of a request's body.
    """

    name: str
    words: Sequence[str]
    says: str
    remote: Remote
    parameters: Mapping[str, click.Parameter] = field(repr=False)
    body: type[Struct]

    @property
    def arguments(self) -> Sequence[str]:
        """The parameters that the command takes in order, without those that it takes many of."""
        found = self.parameters.items()
        return [name for name, one in found if isinstance(one, click.Argument) and one.nargs == 1]

    def task(self, given: Struct) -> Task:
        """What a job does that was asked for so.

        A value stands in one word with its option, and arguments come after `--`: nothing that is given becomes an option.
        """
        options: list[str | File] = []
        arguments: list[str | File] = []
        said: dict[str, Any] = {}
        for name, parameter in self.parameters.items():
            value = getattr(given, str(parameter.name))
            if value is None or value == _default(parameter):
                continue
            file = self.remote.files.get(str(parameter.name))
            content = None if file is None else File(file, msgspec.json.encode(value))
            said[name] = value if content is None else f"{len(value):,}, {digest(content.content)[:12]}"
            if isinstance(parameter, click.Argument):
                arguments += [content] if content else [str(one) for one in _each(value)]
            else:
                options += _option(parameter, value) if content is None else [parameter.opts[-1], content]
        words = (*self.words, *self.remote.always, *options, "--json", "--", *arguments)
        return Task(verb=self.name, words=words, given=said, lane=self.remote.lane)


@cache
def verbs() -> Mapping[str, Verb]:
    """Every verb that can be asked for from far away, by its name."""
    made = (_verb(name, find_command(name), remote) for name, remote in REMOTE.items())
    return {verb.name: verb for verb in made}


def find_verb(name: str) -> Verb:
    """A verb by its name.

    Raises:
        NotFoundError: there is none, or it cannot be asked for from far away.
    """
    if name not in verbs():
        raise NotFoundError.among("verb", name, verbs())
    return verbs()[name]


def permission_of(verb: str) -> Permission:
    """What whoever asks for a verb, or ends its job, must be allowed.

    Raises:
        NotFoundError: there is no such verb here.
    """
    return find_verb(verb).remote.permission


def _verb(name: str, command: click.Command, remote: Remote) -> Verb:
    taken = [one for one in command.params if one.name not in remote.left_out and one.name != "json_"]
    parameters = {_name(one): one for one in taken}
    fields = [_field(one, remote) for one in sorted(taken, key=lambda one: not one.required)]
    body = defstruct(
        "".join(word.capitalize() for word in name.replace(" ", "-").split("-")),
        fields,
        forbid_unknown_fields=True,
        kw_only=True,
        rename={str(one.name): called for called, one in parameters.items()},
    )
    return Verb(
        name=name.replace(" ", "-"),
        words=tuple(name.split(" ")),
        says=" ".join((command.help or "").split()),
        remote=remote,
        parameters=parameters,
        body=body,
    )


def _name(parameter: click.Parameter) -> str:
    """What a request calls it: an option without its dashes, an argument as the help does."""
    if isinstance(parameter, click.Argument):
        return str(parameter.name).rstrip("_")
    return parameter.opts[-1].lstrip("-").replace("-", "_")


def _field(parameter: click.Parameter, remote: Remote) -> tuple[Any, ...]:
    about = parameter.help if isinstance(parameter, click.Option) else None
    kind = _kind(parameter, remote)
    if about:
        kind = Annotated[kind, Meta(description=about)]
    if parameter.required:
        return (parameter.name, kind)
    default = _default(parameter)
    return (parameter.name, kind | None, None) if default is None else (parameter.name, kind, default)


def _kind(parameter: click.Parameter, remote: Remote) -> Any:
    if parameter.name in remote.files:
        return list[dict[str, Any]] if parameter.name != "state" else dict[str, Any]
    kind = _type(parameter.type)
    if not parameter.multiple and parameter.nargs == 1:
        return kind
    several: Any = tuple.__class_getitem__((kind, ...))
    return Annotated[several, Meta(max_length=_MOST)]


def _type(kind: click.ParamType[Any]) -> Any:
    if isinstance(kind, click.IntRange | click.FloatRange):
        base = int if isinstance(kind, click.IntRange) else float
        return Annotated[base, Meta(ge=kind.min, le=kind.max)]
    if isinstance(kind, click.Choice):
        return Literal[tuple(kind.choices)]
    return _TYPES[type(kind)]


def _default(parameter: click.Parameter) -> Any:
    """What it is where nobody says it: None, or a value of its own type."""
    default = parameter.to_info_dict()["default"]
    if parameter.multiple or parameter.nargs == -1:
        return tuple(default or ())
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return bool(default)
    return default


def _each(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple) else (value,)


def _option(parameter: click.Parameter, value: Any) -> Iterator[str]:
    if isinstance(value, bool):
        yield parameter.opts[-1] if value else parameter.secondary_opts[-1]
        return
    for one in _each(value):
        yield f"{parameter.opts[-1]}={one}"
