"""A request as its handler sees it: who asks, of what desk, with which body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from shipworthy.errors import InvalidInputError, NotFoundError, ShipworthyError
from shipworthy.project import Project
from shipworthy.workspace.cards import Cards
from shipworthy.workspace.desk import Desk
from shipworthy.workspace.principal import Principal
from shipworthy.workspace.role import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request whose body was read.

    Attributes:
        request: Path, query and headers.
        body: The body's bytes; empty for a form.
        form: The fields of a form; None where none was sent.
        desk: The open workspace.
        principal: Who asks.
    """

    request: Request
    body: bytes
    form: FormData | None
    desk: Desk
    principal: Principal

    def project(self, permission: Permission) -> Project:
        """The project that the path names, in which the principal writes.

        Raises:
            NotFoundError: there is none that the principal may read.
            DeniedError: the principal may not do that there.
        """
        return self.desk.project(self.request.path_params["project"], self.principal, permission)

    @property
    def cards(self) -> Cards:
        """The cards of the project that the path names; ask for the project first."""
        return self.desk.cards[self.request.path_params["project"]]

    @property
    def number(self) -> int:
        """The idea that the path names.

        Raises:
            NotFoundError: it is no number of an idea.
        """
        return number_in(self.request.path_params["number"])


_DIGITS = 9


def number_in(said: str) -> int:
    """The number of an idea that a part of a path says.

    Raises:
        NotFoundError: it is no number of an idea.

    >>> number_in("7")
    7
    """
    if not (said.isascii() and said.isdigit() and len(said) <= _DIGITS):
        raise NotFoundError(f"{said[:40]!r} is no number of an idea. Write it like 7.")
    return int(said)


Handler = Callable[[Asked], Response]
Refuse = Callable[[Request, ShipworthyError], Response]


def door(handler: Handler, refuse: Refuse) -> Callable[[Request], Any]:
    """An endpoint that runs its handler beside the event loop, and answers every error of the tree by `refuse`."""

    async def endpoint(request: Request) -> Response:
        try:
            asked = await _read(request)
            return await run_in_threadpool(handler, asked)
        except ClientDisconnect:
            return Response(status_code=499)
        except ShipworthyError as error:
            return await run_in_threadpool(refuse, request, error)

    return endpoint


async def _read(request: Request) -> Asked:
    kind = request.headers.get("content-type", "").partition(";")[0]
    is_form = kind in ("application/x-www-form-urlencoded", "multipart/form-data")
    try:
        form = await request.form() if is_form else None
        body = b"" if is_form else await request.body()
    except ValueError as error:  # what multipart says of a body that is none
        raise InvalidInputError(f"The body of the request cannot be read: {error}.") from error
    desk: Desk = request.app.state.desk
    return Asked(request=request, body=body, form=form, desk=desk, principal=request.state.principal)
