"""Light or dark: what somebody chose instead of what their machine says, kept in a cookie."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from shipworthy.board.form import field
from shipworthy.errors import InvalidInputError
from shipworthy.web.asked import Asked
from shipworthy.web.own_path import own_path

LOOKS = ("light", "dark")
_A_YEAR = 365 * 86_400


def choose_look(asked: Asked) -> Response:
    """Keeps what was chosen, and goes back to the page it was chosen on."""
    look, back = field(asked, "look"), field(asked, "back")
    if look not in LOOKS:
        raise InvalidInputError(f"There is no look {look!r}. Choose {' or '.join(LOOKS)}.")
    response = RedirectResponse(own_path(back), status_code=303)
    # The page's script reads and writes it too, so that nobody waits for the server to turn the light off.
    response.set_cookie("look", look, max_age=_A_YEAR, samesite="lax")
    return response
