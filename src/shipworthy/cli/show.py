"""How every verb shows what it found: a table on a terminal, plain text in a pipe, JSON when asked for."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from shipworthy.finite import finite

as_json = click.option("--json", "json_", is_flag=True, help="Print JSON, for programs.")

_WIDEST = 100
_BETWEEN = 3  # beside columns on a terminal, one at either edge; a pipe takes less
_EDGES = 2
_TERMINAL = "shipworthy.cli.terminal"  # imports rich, so only where somebody looks

_COLOURS = {
    "ship": "green",
    "live": "green",
    "testable": "green",
    "stop": "red",
    "refused": "red",
    "rolled back": "red",
    "paused": "yellow",
}


def show(rows: Sequence[Mapping[str, Any]], *, json_: bool, title: str = "", empty: str = "Nothing yet.") -> None:
    """Shows rows of the same columns, as wide as the terminal at most."""
    if json_:
        _echo_json([dict(row) for row in rows])
    elif not rows:
        click.echo(empty)
    elif sys.stdout.isatty():
        import_module(_TERMINAL).print_table(rows, title)
    else:
        _plain(rows)


def narrowed(
    rows: Sequence[Mapping[str, Any]], *, title: int = 12, spare: Collection[str] = ()
) -> list[Mapping[str, Any]]:
    """Rows of at most 100 columns: titles are cut, to `title` letters at least, and then the last spare columns go.

    >>> narrowed([{"idea": 1, "title": "Bake for the weekday", "why": "w" * 90, "looks": 5}], spare=["why", "looks"])
    [{'idea': 1, 'title': 'Bake for the weekday'}]
    """
    texts = [{name: str(value) for name, value in row.items() if value is not None} for row in rows]
    widths = {name: max(len(name), *(len(row.get(name, "")) for row in texts)) for name in rows[0]}
    widths["title"] = min(widths["title"], title)
    kept, most = list(widths), _WIDEST - _EDGES + _BETWEEN
    while sum(widths[name] + _BETWEEN for name in kept) > most and kept[-1] in spare:
        kept.pop()
    room = max(title, widths["title"] + most - sum(widths[name] + _BETWEEN for name in kept))
    return [{name: _cut(row[name], room) if name == "title" else row[name] for name in kept} for row in rows]


def _cut(title: str, room: int) -> str:
    """A title in little room: whole words of it, or what fits of its first word where that alone is too long.

    >>> _cut("Bake for the weekday", 12), _cut("Donaudampfschifffahrt", 12)
    ('Bake for...', 'Donaudamp...')
    """
    said = textwrap.shorten(title, room, placeholder="...")
    return f"{title.strip()[: room - 3]}..." if said == "..." else said


def tell(facts: Mapping[str, Any], *, record: Mapping[str, Any] | None = None) -> None:
    """Shows named facts, one a line, without those that are None; or, for programs, the record behind them as JSON."""
    if record is not None:
        _echo_json(dict(record))
        return
    width = max((len(name) for name in facts), default=0) + 2
    for name, value in facts.items():
        for i, line in enumerate(value if isinstance(value, list | tuple) else [value] if value is not None else []):
            label = click.style((name if i == 0 else "").ljust(width), dim=True)
            first, *rest = textwrap.wrap(str(line), max(40, _WIDEST - width)) or [""]
            click.echo(label + _coloured(first))
            for words in rest:
                click.echo(" " * width + words)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with the time that is left, on a terminal; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    with import_module(_TERMINAL).bar(what) as advance:
        yield advance


def money(amount: float, currency: str) -> str:
    """Money as people read it; where nobody said the currency, it has none.

    >>> money(22453.9, "EUR"), money(-3.456, "EUR")
    ('22,454 EUR', '-3.46 EUR')
    """
    figure = f"{amount:,.0f}" if abs(amount) >= 100 else f"{amount:,.2f}"
    return f"{figure} {currency}".rstrip()


def _echo_json(value: Any) -> None:
    """In ASCII, which every terminal and pipe can carry; JSON has no infinity, so that stands as null."""
    click.echo(json.dumps(finite(value), default=str, indent=2, allow_nan=False))


def _coloured(text: str) -> str:
    colour = next((colour for word, colour in _COLOURS.items() if text.lower().startswith(word)), None)
    return click.style(text, fg=colour, bold=True) if colour else text


def _plain(rows: Sequence[Mapping[str, Any]]) -> None:
    lines = [list(rows[0]), *([str(value) if value is not None else "" for value in row.values()] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
