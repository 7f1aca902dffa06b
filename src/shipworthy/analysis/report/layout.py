"""How a page is laid out and written: one HTML file that loads nothing, and whose one script is our own."""

from __future__ import annotations

import os
from base64 import b64encode
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import get_ident
from typing import Any

from shipworthy.analysis.money import exact, precise, share
from shipworthy.errors import UnavailableError
from shipworthy.library import library

REPORTS_FOLDER = "reports"
_SCRIPT = Path(__file__).with_name("reading.js")


def lay_out(template: Path, **known: Any) -> str:
    """Fills a template; the same values give the same page.

    A template extends `frame.html.jinja`, which gives every page its look. Everything that people wrote is escaped, and
    the page's own policy forbids to load anything and to run any script but `reading.js`, by its digest.

    Raises:
        UnavailableError: The extra `report` is not installed.
    """
    jinja = library("jinja2", "report")
    environment = jinja.Environment(
        loader=jinja.FileSystemLoader([template.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"exact": exact, "precise": precise, "share": share, "seconds": seconds}
    script = _SCRIPT.read_text(encoding="utf-8")
    known |= {"script": script, "script_digest": b64encode(sha256(script.encode()).digest()).decode()}
    page: str = environment.get_template(template.name).render(known)
    return page


def write_page(path: Path, page: str) -> Path:
    """Writes a page, which is there wholly or not at all; a newer one takes its place.

    Raises:
        UnavailableError: The folder cannot be written.
    """
    return write_file(path, page.encode())


def write_file(path: Path, content: bytes) -> Path:
    """Writes a file, which is there wholly or not at all; a newer one takes its place.

    Raises:
        UnavailableError: The folder cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}")  # two may write the same file at once
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise UnavailableError(
            f"The file {path} cannot be written: {error.strerror or error}. Check that the folder may be written and "
            "that the disk has room; what was recorded is kept."
        ) from error
    return path


def seconds(took: float) -> str:
    """How long something took, to two digits that count."""
    return f"{took:.2g}" if took < 10.0 else f"{took:,.0f}"
