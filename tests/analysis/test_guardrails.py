"""Guardrails: proven harmless, proven harmful, or open."""

import numpy as np
import pytest

from shipworthy.analysis import Criteria, Decision, GuardrailState, Margin, verdict
from shipworthy.errors import InvalidInputError
from tests.series import clear_gain, evidence

GAIN = clear_gain()
WASTE = Margin(name="waste", margin=0.5, better="lower")


def frame_with(change, differences=GAIN):
    """Makes evidence whose guardrail changes by so much."""
    changes = np.broadcast_to(change, differences.shape).ravel()
    return evidence(differences, waste_champion=np.zeros(changes.size), waste_challenger=changes)


def noise(mean):
    """Draws changes of the guardrail around a mean."""
    return mean + 0.3 * np.random.default_rng(1).normal(size=GAIN.shape)


@pytest.mark.parametrize(
    ("mean", "state", "decision"),
    [
        (0.0, GuardrailState.HOLDS, Decision.SHIP),
        (-3.0, GuardrailState.HOLDS, Decision.SHIP),
        (0.5, GuardrailState.INCONCLUSIVE, Decision.INCONCLUSIVE),
        (2.0, GuardrailState.BREACHED, Decision.STOP),
    ],
)
def test_guardrail_decides_beside_the_money(mean, state, decision):
    """Money that is proven ships only where waste is proven to stay within its margin."""
    found = verdict(frame_with(noise(mean)), Criteria(guardrails=(WASTE,)))

    assert (found.guardrails[0].state, found.decision) == (state, decision)
    assert found.guardrails[0].change == pytest.approx(noise(mean).mean())
    assert found.guardrails[0].low < found.guardrails[0].change < found.guardrails[0].high
    if decision is not Decision.SHIP:
        assert "waste" in found.reasons[0]


def test_direction_of_better_turns_the_guardrail():
    """Two more of something is a breach where lower is better and welcome where higher is."""
    service = Margin(name="waste", margin=0.5, better="higher")

    assert verdict(frame_with(noise(2.0)), Criteria(guardrails=(service,))).decision is Decision.SHIP
    assert verdict(frame_with(noise(-2.0)), Criteria(guardrails=(service,))).decision is Decision.STOP


def test_guardrail_that_never_moved_holds():
    """The same waste in every pair is known exactly."""
    found = verdict(frame_with(0.0), Criteria(guardrails=(WASTE,)))

    assert found.decision is Decision.SHIP
    assert (found.guardrails[0].low, found.guardrails[0].high) == (0.0, 0.0)


def test_all_guardrails_must_hold():
    """One open guardrail among two withholds the ship and is named first."""
    criteria = Criteria(guardrails=(WASTE, Margin(name="queue", margin=0.1)))
    changes = np.random.default_rng(2).normal(size=GAIN.size) * 4.0
    frame = frame_with(noise(0.0)).with_columns(queue_champion=np.zeros(GAIN.size), queue_challenger=changes)

    found = verdict(frame, criteria)

    assert found.decision is Decision.INCONCLUSIVE
    assert "queue" in found.reasons[0]


def test_guardrail_without_numbers_is_open():
    """A guardrail that nobody measured cannot hold."""
    found = verdict(frame_with(np.nan), Criteria(guardrails=(WASTE,)))

    assert found.guardrails[0].state is GuardrailState.INCONCLUSIVE
    assert found.decision is Decision.INCONCLUSIVE


def test_guardrail_with_a_silent_side_is_open_where_that_could_matter():
    """A sixth of one side missing: if those were as bad as the worst, waste would pass its margin."""
    changes = noise(0.44)
    complete = verdict(frame_with(changes), Criteria(guardrails=(WASTE,)))
    changes[::2, 0] = np.nan
    changes[::8, 1] = np.nan

    found = verdict(frame_with(changes), Criteria(guardrails=(WASTE,)))

    assert complete.guardrails[0].state is GuardrailState.HOLDS
    assert found.guardrails[0].state is GuardrailState.INCONCLUSIVE
    assert "only one side" in found.guardrails[0].reason


def test_money_that_is_disproved_stops_whatever_the_guardrails_say():
    """A certain loss stops, with an open guardrail too."""
    found = verdict(frame_with(noise(0.5), -GAIN), Criteria(guardrails=(WASTE,)))

    assert found.decision is Decision.STOP
    assert "loses money" in found.reasons[0]


def test_missing_guardrail_columns_are_named():
    """A guardrail without its columns is the caller's error."""
    with pytest.raises(InvalidInputError, match="waste_champion, waste_challenger missing"):
        verdict(evidence(GAIN), Criteria(guardrails=(WASTE,)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "value", "margin": 1.0},
        {"name": "", "margin": 1.0},
        {"name": "waste", "margin": -1.0},
        {"name": "waste", "margin": float("nan")},
        {"name": "waste", "margin": 1.0, "better": "more"},
    ],
)
def test_margin_refuses_what_cannot_be_judged(wrong):
    """A guardrail needs a name of its own, a margin and a direction."""
    with pytest.raises(InvalidInputError):
        Margin(**wrong)


def test_guardrails_are_named_once():
    """Two margins for one guardrail contradict each other."""
    with pytest.raises(InvalidInputError, match="once"):
        Criteria(guardrails=(WASTE, WASTE))
