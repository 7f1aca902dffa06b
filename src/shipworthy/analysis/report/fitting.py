"""Fits text into a box without a font at hand: letters are taken to be rather too wide than too narrow."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

_LETTER, _WIDE = (
    0.58,
    1.05,
)  # of the size, as wide as in the widest of the common fonts; Chinese, Japanese, Korean and signs
_LINE, _BETWEEN = 1.22, 0.4  # of the size: from line to line, and between paragraphs
_CUT = "\N{HORIZONTAL ELLIPSIS}"


class Fitted(NamedTuple):
    """Texts as they fit.

    Attributes:
        texts: The paragraphs, as many as there is room for, the last one cut where it must be.
        size: Of the letters, in points.
        left_out: How many paragraphs there was no room for.
    """

    texts: list[str]
    size: float
    left_out: int


def fit(texts: Sequence[str], width: float, height: float, sizes: Sequence[float]) -> Fitted:
    """Takes the largest size in which all paragraphs fit, lengths in points; in the smallest one what does not fit is cut.

    >>> fit(["To ship or not to ship"], 200.0, 40.0, [32.0, 16.0])
    Fitted(texts=['To ship or not to ship'], size=16.0, left_out=0)
    >>> fit(["To ship or not to ship", "that is the question"], 100.0, 20.0, [16.0])
    Fitted(texts=['To ship o…'], size=16.0, left_out=1)
    """
    for size in sizes:
        if _height([_lines(text, width, size) for text in texts], size) <= height:
            return Fitted(list(texts), size, 0)
    return _cut(texts, width, height, sizes[-1])


def _cut(texts: Sequence[str], width: float, height: float, size: float) -> Fitted:
    kept: list[str] = []
    room = height
    for text in texts:
        lines, fits = _lines(text, width, size), int(room / (size * _LINE) + 1e-9)
        if fits < 1 and kept:
            break
        if len(lines) > fits:
            kept.append(_shortened(lines[: max(fits, 1)], width, size))
            break
        kept.append(text)
        room -= _height([lines], size) + size * _BETWEEN
    return Fitted(kept, size, len(texts) - len(kept))


def _shortened(lines: Sequence[str], width: float, size: float) -> str:
    last = lines[-1]
    while last and _width(last + _CUT, size) > width:
        last = last[:-1]
    return " ".join([*lines[:-1], last.rstrip() + _CUT])


def _height(paragraphs: Sequence[Sequence[str]], size: float) -> float:
    return size * (_LINE * sum(map(len, paragraphs)) + _BETWEEN * (len(paragraphs) - 1))


def _lines(text: str, width: float, size: float) -> list[str]:
    """Breaks a text as a slide would: between words, and within a word that is longer than a line."""
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if _width(longer, size) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while _width(line, size) > width and len(line) > 1:
            most = next(n for n in range(len(line) - 1, 0, -1) if n == 1 or _width(line[:n], size) <= width)
            lines.append(line[:most])
            line = line[most:]
    return [*lines, line]


def _width(text: str, size: float) -> float:
    return size * sum(_WIDE if unicodedata.east_asian_width(letter) in "WF" else _LETTER for letter in text)
