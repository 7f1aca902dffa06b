"""Light or dark: what somebody chose instead of what their machine says, kept in a cookie."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from shipworthy.board.form import field
from shipworthy.errors import InvalidInputError
from shipworthy.web.asked import Asked

LOOKS = ("light", "dark")
_A_YEAR = 365 * 86_400


def choose_look(asked: Asked) -> Response:
    """Keeps what was chosen, and goes back to the page it was chosen on."""
    look, back = field(asked, "look"), field(asked, "back")
    if look not in LOOKS:
        raise InvalidInputError(f"There is no look {look!r}. Choose {' or '.join(LOOKS)}.")
    response = RedirectResponse(_here(back), status_code=303)
    # The page's script reads and writes it too, so that nobody waits for the server to turn the light off.
    response.set_cookie("look", look, max_age=_A_YEAR, samesite="lax")
    return response


def _here(back: str) -> str:
    """A page of this server, whatever a form says: nobody is sent elsewhere.

    >>> _here("/projects/kitchen/?stage=data"), _here("//elsewhere.example/"), _here("https://elsewhere.example")
    ('/projects/kitchen/?stage=data', '/', '/')
    """
    parts = urlsplit(back)
    is_here = back.startswith("/") and not back.startswith(("//", "/\\")) and not parts.netloc and "\\" not in back
    return back if is_here else "/"
