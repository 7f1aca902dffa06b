"""Cards of many ideas: what others record is on them at once, what is typed into a file soon."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep

import pytest

import shipworthy.workspace.cards
from shipworthy.errors import UnavailableError
from shipworthy.ideas.comment import comment
from shipworthy.ideas.register import begin_idea
from shipworthy.project import open_project
from shipworthy.workspace.cards import Cards
from tests.ship import kiosk

MANY = 1_500


def test_of_many_ideas_a_record_shows_at_once_and_a_file_soon(tmp_path: Path):
    """Although not all files are looked at for every question, nothing that was recorded is missed, nor a file for long."""
    project = open_project(kiosk.lay(tmp_path / "kiosk"))
    first = kiosk.write_idea(project.root, 1)
    text = first.read_text()
    for number in range(2, MANY + 1):
        (first.parent / f"{number:04d}-copy.toml").write_text(text)
    cards = Cards(project)
    assert len(cards.all()) == MANY
    begun = begin_idea(project, {"title": "Recorded by somebody else"})
    assert cards.get(begun.number).title == "Recorded by somebody else"
    assert list(cards.ideas().values())[-1] == begun
    (first.parent / "0007-copy.toml").unlink()
    first.write_text(text.replace("title = ", "title = 'Typed into a file' # "))
    until = monotonic() + 60
    while (cards.get(1).title, len(cards.all())) != ("Typed into a file", MANY):
        assert monotonic() < until
        sleep(0.01)
    project.records.close()


def test_what_was_away_once_is_no_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where a record or a file could not be read, the next question knows all the same; a file that leads nowhere is no idea."""
    project = open_project(kiosk.lay(tmp_path / "kiosk"))
    kiosk.write_idea(project.root, 1)
    (project.root / "ideas" / "0009-gone.toml").symlink_to("nowhere.toml")
    cards = Cards(project)
    _away_once(monkeypatch, "readable_ideas")
    with pytest.raises(UnavailableError):
        cards.all()
    assert [card.number for card in cards.all()] == [1]
    begun = begin_idea(project, {"title": "Recorded by somebody else"})
    comment(project, 1, "Seen?")
    _away_once(monkeypatch, "find_idea")
    with pytest.raises(UnavailableError):
        cards.all()
    seen = {card.number: (card.title, card.seq, card.at) for card in cards.all()}
    assert seen == {card.number: (card.title, card.seq, card.at) for card in Cards(project).all()}
    assert seen[begun.number][0] == begun.title
    project.records.close()


def _away_once(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Lets what reads ideas fail the first time."""
    reads, away = getattr(shipworthy.workspace.cards, name), [True]

    def read(*given: object) -> object:
        if away:
            away.clear()
            raise UnavailableError("The store does not answer.")
        return reads(*given)

    monkeypatch.setattr(shipworthy.workspace.cards, name, read)
