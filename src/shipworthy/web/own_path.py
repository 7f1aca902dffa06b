"""Where a browser may be sent: to pages of this server, whatever a form or an address says."""

from __future__ import annotations


def own_path(text: str | None) -> str:
    """A path of this server, as it was asked for; its front page where it is anything else.

    >>> own_path("/projects/kitchen/?stage=data"), own_path("//evil.example"), own_path("https://evil.example"), own_path(None)
    ('/projects/kitchen/?stage=data', '/', '/', '/')
    """
    is_own = text is not None and text.startswith("/") and text[1:2] not in ("/", "\\")
    is_plain = text is not None and len(text) <= 2000 and "\\" not in text and text.isascii() and text.isprintable()
    return text if text is not None and is_own and is_plain and " " not in text else "/"
