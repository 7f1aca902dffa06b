"""The standup as Markdown, to be put into a channel or a page."""

from __future__ import annotations

from collections.abc import Iterable

from shipworthy.programme.standup import Standup


def as_markdown(found: Standup, *, several: bool = False) -> str:
    """The standup as Markdown; with several projects each sentence names its own.

    Args:
        found: What is told.
        several: Whether it is over several projects.
    """
    parts = [f"# Standup, {found.at:%Y-%m-%d %H:%M} UTC", "", f"Since {found.since:%Y-%m-%d %H:%M} UTC.", ""]
    sections = (
        ("At risk", [(one.project, one.says) for one in found.at_risk], _plain(found.no_risk)),
        ("Moved", [(one.project, one.says) for one in found.moved], "Nothing moved."),
        ("Waits", [(one.project, one.says) for one in found.waits], "Nothing waits."),
    )
    for title, sentences, none in sections:
        parts += [f"## {title}", "", *_list(sentences, several=several, none=none), ""]
    return "\n".join(parts)


def _list(sentences: Iterable[tuple[str, str]], *, several: bool, none: str) -> list[str]:
    return [f"- {f'**{space}** ' if several else ''}{_plain(says)}" for space, says in sentences] or [none]


def _plain(text: str) -> str:
    """A sentence in which nothing is Markdown or HTML that people typed."""
    for letter in "\\`*_[]<>|#":
        text = text.replace(letter, f"\\{letter}")
    return text.replace("\n", " ")
