"""In which faces a report is written: the option that asks for them."""

from __future__ import annotations

from collections.abc import Sequence

import click

from shipworthy.analysis.report.faces import FACES

_ALL = "all"


def _named(_context: click.Context, _option: click.Parameter, asked: Sequence[str]) -> list[str]:
    """The faces that are asked for, each once."""
    return list(FACES) if _ALL in asked else list(dict.fromkeys(asked))


in_faces = click.option(
    "--format",
    "faces",
    type=click.Choice([*FACES, _ALL]),
    multiple=True,
    default=("html",),
    show_default=True,
    callback=_named,
    help="The form of the report; give it again for another one.",
)
