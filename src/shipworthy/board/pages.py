"""Every page of the board, with its address and what renders it."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from shipworthy.board.board import show_board, show_projects
from shipworthy.board.rendering import refuse
from shipworthy.web.asked import door

_STATIC = Path(__file__).with_name("static")


def routes() -> list[BaseRoute]:
    """The pages' routes."""
    return [
        Route("/", door(show_projects, refuse)),
        Route("/projects/{project}/", door(show_board, refuse)),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]
