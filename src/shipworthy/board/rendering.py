"""How a page is rendered: a template in the frame that all pages share."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from shipworthy.errors import ShipworthyError
from shipworthy.web.asked import Asked
from shipworthy.web.status import status_of

_TEMPLATES = Path(__file__).with_name("templates")


def render(asked: Asked, template: str, **known: Any) -> Response:
    """A page for whoever asked; everything that people wrote is escaped."""
    page = _environment().get_template(f"{template}.html.jinja").render(principal=asked.principal, **known)
    return HTMLResponse(page)


def refuse(request: Request, error: ShipworthyError) -> Response:
    """The page that says what is wrong, and what to do next."""
    page = _environment().get_template("refused.html.jinja").render(error=error, principal=request.state.principal)
    return HTMLResponse(page, status_code=status_of(error))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
