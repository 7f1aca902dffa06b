"""What an open page has seen already, and whether there is news for it."""

from __future__ import annotations

from starlette.responses import Response

from shipworthy.web.asked import Asked


def seen(*parts: object) -> str:
    """What an open page has seen already, in a word that it sends along when it asks again."""
    return "~".join(str(part) for part in parts).replace(" ", "_").replace("+", "_")


def is_news(asked: Asked, now: str) -> bool:
    """Whether a page that asks again would be told something else than it shows."""
    return asked.request.query_params.get("seen", "") != now


def nothing_new() -> Response:
    """The answer to a page that shows already all there is."""
    return Response(status_code=204)
