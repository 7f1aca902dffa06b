"""The colours of a page in the light, for what cannot ask the page: pictures and slides."""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "page": "#f4f6f8",
    "card": "#ffffff",
    "ink": "#17212b",
    "muted": "#51606e",
    "line": "#d6dde3",
    "gain": "#0b62a8",
    "loss": "#b3470c",
    "ship": "#0c6b3b",
    "ship-back": "#e4f5eb",
    "stop": "#a51d1d",
    "stop-back": "#fdeceb",
    "inconclusive": "#7a4a00",
    "inconclusive-back": "#fff4da",
    "invalid": "#4a5663",
    "invalid-back": "#e9edf1",
}
"""By the names of the page's own variables; `frame.html.jinja` has the same."""
