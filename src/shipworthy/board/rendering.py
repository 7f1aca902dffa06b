"""How a page is rendered: a template in the frame that all pages share; and what people are told on the next one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from shipworthy.analysis import report
from shipworthy.board.standing import rail_says, rested_on
from shipworthy.board.words import FILTERS, told_with
from shipworthy.errors import NotFoundError, ShipworthyError
from shipworthy.project import Project
from shipworthy.web.asked import Asked
from shipworthy.web.own_path import own_path
from shipworthy.web.status import status_of
from shipworthy.workspace.desk import Desk
from shipworthy.workspace.principal import Principal

STATIC = Path(__file__).with_name("static")
_TEMPLATES = Path(__file__).with_name("templates")
_REPORT = Path(report.__file__).parent
FILES = (STATIC, _REPORT)
"""Where the files beside the pages lie; the script that reads plots out is the reports' own."""

_TITLES: Mapping[int, str] = {
    403: "That is not yours to do",
    404: "There is nothing here",
    409: "Somebody was faster",
    429: "Too many at once",
    500: "That did not work",
    503: "Not just now",
}
"""What a page says first that answers with an error."""

_LOG = logging.getLogger("shipworthy.board")
_SAID = "said"
_SAID_FOR = 60  # seconds: longer than a redirect takes, shorter than anybody remembers

PLACES: Mapping[str, str] = {
    "Board": "",
    "Problems": "problems",
    "Rollouts": "rollouts",
    "Ledger": "ledger",
    "Programme": "programme",
    "Standup": "standup",
    "Ask": "ask",
}
"""The pages of a project that its navigation names, and where each lies below the project."""


def render(
    asked: Asked, template: str, *, project: Project | None = None, here: str = "", status: int = 200, **known: Any
) -> Response:
    """A whole page for whoever asked; everything that people wrote is escaped.

    Args:
        asked: The request.
        template: The page's name, without its ending.
        project: The project that the page is about; None where it is about none.
        here: Which of `PLACES` it is, or belongs to.
        status: The HTTP status.
        known: What the template knows besides.
    """
    return _page(asked.request, template, project=project, here=here, status=status, **known)


def render_part(template: str, *, status: int = 200, **known: Any) -> Response:
    """A part of a page without its frame, for a page that is open already."""
    page = _environment().get_template(f"{template}.html.jinja").render(known)
    return HTMLResponse(page, status_code=status)


def go(to: str, says: str = "") -> Response:
    """Sends whoever posted a form to a page of this server, which tells what became of it.

    >>> go("/projects/kitchen/").headers["location"], go("https://evil.example/").headers["location"]
    ('/projects/kitchen/', '/')
    """
    response = RedirectResponse(own_path(to), status_code=303)
    if says:
        response.set_cookie(_SAID, quote(says), max_age=_SAID_FOR, httponly=True, samesite="lax")
    return response


def refuse(request: Request, error: ShipworthyError) -> Response:
    """Says what is wrong and what to do next: on a page of its own, or on the open page where a part was asked for."""
    if is_part(request):
        return render_part("refused_part", status=status_of(error), error=error)
    desk, principal = _who(request)
    _, projects, name, place, *_ = (
        *request.url.path.split("/"),
        "",
        "",
        "",
    )  # where no route answers, nothing else says it
    project = desk.readable(principal).get(name) if principal and projects == "projects" else None
    status = status_of(error)
    return _page(
        request,
        "refused",
        project=project,
        here=next((here for here, below in PLACES.items() if below == place), ""),
        status=status,
        error=error,
        title=_TITLES.get(status, _TITLES[500]),
    )


def answer_http(request: Request, error: Exception) -> Response:
    """The page for what no route answers: an address that there is not, or a method that it does not take."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    says = (
        f"There is no page at {request.url.path}." if status == 404 else f"The server does not do that here ({status})."
    )
    response = refuse(request, NotFoundError(f"{says} Go back, or go on from here."))
    response.status_code = status
    return response


def answer_defect(request: Request, error: Exception) -> Response:
    """The page for an error that nobody foresaw: an id, under which the server's log has it."""
    name = uuid4().hex
    _LOG.error("A request to %s failed; its id is %s", request.url.path, name, exc_info=error)
    says = f"This is a defect of shipworthy, not of yours. The server's log has it under the id {name}."
    return refuse(request, ShipworthyError(says))


def is_part(request: Request) -> bool:
    """Whether an open page asks for a part of itself, by htmx or by our own script."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true"


def _who(request: Request) -> tuple[Desk, Principal | None]:
    return request.app.state.desk, getattr(request.state, "principal", None)


def _page(
    request: Request, template: str, *, project: Project | None, here: str, status: int, **known: Any
) -> Response:
    desk, principal = _who(request)
    readable = desk.readable(principal).values() if principal else ()
    said = unquote(request.cookies.get(_SAID, ""))
    frame = {
        "principal": principal,
        "project": project,
        "projects": sorted(readable, key=lambda one: (one.squad, one.name)),
        "here": here,
        "places": PLACES,
        "said": said,
        "look": request.cookies.get("look", ""),
        "back": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
    }
    page = _environment().get_template(f"{template}.html.jinja").render(frame | known)
    response = HTMLResponse(page, status_code=status)
    if said:
        response.delete_cookie(_SAID, httponly=True, samesite="lax")
    return response


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader(
            [FileSystemLoader(_TEMPLATES), PrefixLoader({"report": FileSystemLoader(_REPORT)})],
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    environment.globals |= {"asset": _asset, "told_with": told_with, "rail_says": rail_says, "rested_on": rested_on}
    return environment


@cache
def _asset(name: str) -> str:
    """The address of a file beside the pages, which changes with its content, so that it may be kept for ever."""
    found = next(folder / name for folder in FILES if (folder / name).is_file())
    return f"/static/{name}?v={sha256(found.read_bytes()).hexdigest()[:12]}"
