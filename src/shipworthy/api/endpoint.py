"""An endpoint of the API: one line of the table, and a request to it as its handler sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from msgspec import Struct
from starlette.datastructures import Headers

from shipworthy.errors import InvalidInputError, PreconditionError
from shipworthy.live.refusals import RefusedError
from shipworthy.project import Project
from shipworthy.web.asked import number_in
from shipworthy.workspace.cards import Cards
from shipworthy.workspace.desk import Desk
from shipworthy.workspace.jobs import Jobs
from shipworthy.workspace.principal import Principal
from shipworthy.workspace.role import Permission

PREFIX = "/api/v1"
T = TypeVar("T")


class Nothing(Struct, forbid_unknown_fields=True):
    """No parameters."""


class Page(Struct, Generic[T], forbid_unknown_fields=True):
    """A page of a list.

    Attributes:
        items: What is on it.
        next: The cursor of the next page; null on the last one.
        total: How many there are on all pages; null where counting would take long.
    """

    items: list[T]
    next: str | None = None
    total: int | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request that was read: who asks, of which project, with which parameters.

    Attributes:
        desk: The open workspace.
        principal: Who asks.
        path: The parts of the path, by name.
        query: The parameters of the query, of the endpoint's type.
        body: The body, of the endpoint's type.
        headers: The headers.
        permission: What the endpoint asks for.
    """

    desk: Desk
    principal: Principal
    path: Mapping[str, str]
    query: Any
    body: Any
    headers: Headers
    permission: Permission

    @cached_property
    def project(self) -> Project:
        """The project that the path names, in which the principal writes.

        Raises:
            NotFoundError: there is none that the principal may read.
            DeniedError: the principal may not do there what the endpoint does.
        """
        return self.desk.project(self.path["project"], self.principal, self.permission)

    @property
    def cards(self) -> Cards:
        """The cards of the project."""
        return self.desk.cards[self.project.name]

    @property
    def jobs(self) -> Jobs:
        """The jobs of the project."""
        return self.desk.jobs[self.project.name]

    @property
    def number(self) -> int:
        """The idea that the path names.

        Raises:
            NotFoundError: it is no number of an idea.
        """
        return number_in(self.path["number"])

    def require(self) -> None:
        """Refuses what the principal may not do: in the project that the path names, else in any squad.

        Raises:
            NotFoundError: there is no such project that it may read.
            DeniedError: it may not.
        """
        if "project" in self.path:
            self.desk.project(self.path["project"], self.principal, self.permission)
            return
        squads = ("", *self.desk.workspace.squads)
        if not any(self.principal.may(self.permission, squad) for squad in squads):
            self.principal.require(self.permission, "")

    def require_seen(self, edition: str) -> None:
        """Refuses an edit of something else than was seen.

        Raises:
            RefusedError: the request does not say what was seen.
            PreconditionError: it was changed since.
        """
        seen = self.headers.get("if-match")
        if seen is None:
            raise RefusedError(428, "Say with If-Match which edition you have seen: the ETag of what you read.")
        if seen.strip() != "*" and tag_of(edition) not in tags_in(seen):
            raise PreconditionError("It was changed since you read it. Read it again, then repeat what you meant.")

    @property
    def idempotency_key(self) -> str | None:
        """The Idempotency-Key, by which a request that is sent twice counts once.

        Raises:
            InvalidInputError: it is empty, too long, or not of visible letters.
        """
        key = self.headers.get("idempotency-key")
        if key is not None and not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
            raise InvalidInputError("The Idempotency-Key must be 1 to 200 printable letters of ASCII.")
        return key


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered where the value alone does not say it.

    Attributes:
        value: The body, before it is JSON.
        status: The status.
        headers: Further headers.
        edition: What the ETag is made of; None for the body itself.
    """

    value: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    edition: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One line of the table.

    Attributes:
        name: What it is called in OpenAPI and in the Python client.
        method: GET, POST, PATCH or DELETE.
        path: Its path after `/api/v1`.
        permission: What whoever asks must be allowed.
        says: What it is for, in a sentence.
        handler: What answers it.
        query: The type of the parameters in the query.
        body: The type of the body; None where it takes none.
        answer: The type of what it answers; None for nothing.
        status: The status where all went well.
        media: What else than JSON it answers with.
        waits: Whether it starts a job, for which a request may wait.
        edits: Whether it asks for If-Match.
        arguments: What of its body the client takes in order.
    """

    name: str
    method: str
    path: str
    permission: Permission
    says: str
    handler: Callable[[Call], Any]
    query: type[Struct] = Nothing
    body: Any = None
    answer: Any = None
    status: int = 200
    media: str = "application/json"
    waits: bool = False
    edits: bool = False
    arguments: Sequence[str] = ()


def tag_of(edition: str) -> str:
    """The ETag of an edition.

    >>> tag_of("1a2b")
    '"1a2b"'
    """
    return f'"{edition}"'


def tags_in(header: str) -> set[str]:
    """The ETags that If-Match or If-None-Match names, weak ones taken for strong ones."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
