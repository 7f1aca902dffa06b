"""Every page of the board, with its address and what renders it."""

from __future__ import annotations

from starlette.routing import BaseRoute, Mount, Route

from shipworthy.board.board import show_board, show_cards, show_more, show_projects
from shipworthy.board.feed import show_feed
from shipworthy.board.look import choose_look
from shipworthy.board.rendering import STATIC, refuse
from shipworthy.board.static_files import KeptFiles
from shipworthy.web.asked import Handler, door


def routes() -> list[BaseRoute]:
    """The pages' routes."""
    return [
        _page("/", show_projects),
        _form("/look", choose_look),
        _page("/projects/{project}/", show_board),
        _page("/projects/{project}/more", show_more),
        _page("/projects/{project}/cards", show_cards),
        _page("/projects/{project}/feed", show_feed),
        Mount("/static", KeptFiles(directory=STATIC)),
    ]


def _page(address: str, handler: Handler) -> Route:
    return Route(address, door(handler, refuse), methods=["GET"])


def _form(address: str, handler: Handler) -> Route:
    return Route(address, door(handler, refuse), methods=["POST"])
