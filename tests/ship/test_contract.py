"""A contract between verdict and release: an edit closes the way, and leaves alone what is shipped already."""

from __future__ import annotations

import pytest

from shipworthy.errors import GateClosedError
from shipworthy.ideas.register import find_idea
from shipworthy.project import Project
from shipworthy.ship.rollout import Phase, read_rollout
from shipworthy.ship.ship import ship_idea
from shipworthy.ship.standing import standing


def _write_contract(project: Project) -> None:
    path = project.root / "contracts" / "kiosk.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("[columns]\ndemand = { type = 'integer', max = 10 }\n")


def test_a_contract_that_came_after_the_verdict_closes_the_way(judged: Project, parity_holds: None):
    """The rows were never held against it, so nothing is shipped until they are."""
    _write_contract(judged)
    with pytest.raises(
        GateClosedError, match=r"The contract changed since the data were examined\. Run `shipworthy data 1`"
    ):
        ship_idea(judged, 1)
    assert read_rollout(judged, "kiosk") is None


def test_an_edit_leaves_alone_what_is_shipped(shadowed: Project):
    """An idea in shadow waits for its live periods, not for the contract of the next idea."""
    _write_contract(shadowed)
    assert standing(shadowed, find_idea(shadowed, 1)).says == "in shadow"
    with pytest.raises(GateClosedError, match="No live period has its outcome yet") as refused:
        ship_idea(shadowed, 1)
    assert "contract" not in str(refused.value)
    assert read_rollout(shadowed, "kiosk").phase is Phase.SHADOW
