"""Markdown in GitHub's flavour: what people wrote is text in it, whatever it looks like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from shipworthy.library import library

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#$])")
_OPENING = re.compile(r"^(\d+)([.)])(?=\s|$)|^([+=-])(?=[\s=-]|$)")
_LINKED = re.compile(r"(?<=\w):(?=//)|(?<=\bwww)\.", re.IGNORECASE)
_CALLED = re.compile(r"(?<=[@#])(?=\w)")
_NOTHING = "<!-- -->"
_ICONS = {"ship": "✅", "stop": "⛔", "inconclusive": "⏳", "invalid": "⚠️", "holds": "✅", "breached": "⛔"}


class Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


def escaped(text: object) -> Markdown:
    r"""Writes a text so that Markdown shows it as it is: one line, no markup, no tag, no link, nobody called.

    >>> print(escaped("a | <b>*bold*</b>"))
    a \| \<b\>\*bold\*\</b\>
    >>> print(escaped("1. ask @all, see www.example.com & https://example.com"))
    1\. ask @<!-- -->all, see www\.example.com &amp; https\://example.com
    """
    if isinstance(text, Markdown):
        return text
    line = " ".join(str(text).split()).replace("&", "&amp;")
    line = _LINKED.sub(lambda found: f"\\{found[0]}", _SPECIAL.sub(r"\\\1", line))
    opened = _OPENING.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[3]}", line)
    return Markdown(_CALLED.sub(_NOTHING, opened))


def code_line(text: str) -> Markdown:
    """Takes a line of a block of code, such as a command of ours, as it is."""
    return Markdown(" ".join(text.splitlines()))


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], *, right: int = 0) -> Markdown:
    r"""Writes a table, the last columns to the right where they hold figures.

    >>> print(table(["Unit", "Gain"], [["a|b", 3]], right=1))
    | Unit | Gain |
    | :--- | ---: |
    | a\|b | 3 |
    """
    ways = [":---"] * (len(heads) - right) + ["---:"] * right
    lines = [[str(escaped(cell)) for cell in row] for row in (heads, *rows)]
    whole: list[list[str]] = [lines[0], ways, *lines[1:]]
    return Markdown("\n".join(f"| {' | '.join(line)} |" for line in whole))


def facts(name: str, rows: Iterable[tuple[str, object]]) -> Markdown:
    """Writes named facts as a table under a heading of two columns."""
    return table([name, ""], rows)


def icon(kind: object) -> str:
    """The sign of a decision, or of a guardrail's state."""
    return _ICONS.get(str(kind), _ICONS["inconclusive"])


def lay_out_markdown(template: Path, **known: Any) -> str:
    """Fills a template of Markdown; every value is escaped that is not Markdown already.

    Raises:
        UnavailableError: The extra `report` is not installed.
    """
    jinja = library("jinja2", "report")
    environment = jinja.Environment(
        loader=jinja.FileSystemLoader(template.parent),
        autoescape=False,
        finalize=escaped,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"code_line": code_line, "table": table, "facts": facts, "icon": icon}
    text: str = environment.get_template(template.name).render(known)
    return re.sub(r"\n{3,}", "\n\n", text)
