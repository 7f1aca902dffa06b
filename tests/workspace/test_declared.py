"""What a project's code declares is read as text: it is told, and nothing of it is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.ideas.register import begin_idea
from shipworthy.project import open_project
from shipworthy.workspace.cards import Cards

CODE = """
import shipworthy as sw
raise SystemExit("nobody runs this")
shop = sw.Problem({declared})
"""


@pytest.mark.parametrize(
    ("declared", "currency"),
    [
        ('"shop", currency="CHF"', "CHF"),
        ('name="shop", rows=None', "EUR"),
        ('"shop", currency=money', ""),
        ('"another", currency="CHF"', ""),
        ("(", ""),
    ],
)
def test_a_card_tells_the_currency_that_the_code_declares(tmp_path: Path, declared: str, currency: str):
    """Before anything is locked, a hoped-for gain is in the money of its problem, as far as it stands there in so many words."""
    (tmp_path / "shipworthy.toml").write_text("[project]\nproblems = ['town.shop:shop']\n")
    (tmp_path / "town").mkdir()
    (tmp_path / "town" / "shop.py").write_text(CODE.format(declared=declared))
    project = open_project(tmp_path)
    begin_idea(project, {"title": "Open on Sundays", "problem": "shop", "expected_gain": [1.0, 2.0, 3.0]})

    [card] = Cards(project).all()

    assert card.expected is not None
    assert card.expected.currency == currency
