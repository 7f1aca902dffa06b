"""The rollout: shadow, canary, live, each on live evidence alone; and back, for good."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from shutil import copytree
from threading import Barrier

import pytest

from shipworthy.analysis.analyse import analyse_idea
from shipworthy.data.examine import examine_data
from shipworthy.errors import GateClosedError, InvalidInputError, NotFoundError, PreconditionError
from shipworthy.ideas.register import find_idea
from shipworthy.live.ledger.ledger import read_ledger
from shipworthy.project import Project, open_project
from shipworthy.research.research import research_idea
from shipworthy.ship.back import retire_idea, roll_back
from shipworthy.ship.release import build_release, open_release
from shipworthy.ship.rollout import Move, Phase, Rollout, make_move, read_rollout, rollout_history
from shipworthy.ship.shadow import live_evidence
from shipworthy.ship.ship import ship_idea
from shipworthy.ship.sides import sides_of
from shipworthy.ship.standing import standing
from tests.problems import replay_of
from tests.ship import kiosk

GOOD, BAD = 13.0, -13.0


def _now(project: Project) -> Rollout:
    return read_rollout(project, "kiosk")


def _says(project: Project, number: int) -> str:
    return standing(project, find_idea(project, number)).says


def test_good_evidence_goes_from_shadow_to_canary_to_live(shadowed: Project):
    """Each phase rests on live periods; once live, the new release answers and the old one decides in its shadow."""
    before = _now(shadowed)
    assert (before.phase, before.share, before.arms_of("2025-06-01", ["rye"])) == (Phase.SHADOW, 0.0, "champion")
    kiosk.live(shadowed, 0, [GOOD] * 14)
    canary = ship_idea(shadowed, 1, share=0.25).rollout
    assert (canary.phase, canary.share, canary.champion) == (Phase.CANARY, 0.25, before.champion)
    kiosk.live(shadowed, 14, [GOOD] * 14)
    shipped = ship_idea(shadowed, 1)
    live = shipped.rollout
    assert (live.phase, live.champion, live.challenger) == (Phase.LIVE, before.challenger, before.champion)
    assert (live.share, live.arms_of("2025-06-01", ["rye"])) == (0.0, "champion")
    assert shipped.reading.periods == 28
    assert live.why.startswith("28 live periods through 2025-06-02: 26 EUR a day (")
    with pytest.raises(InvalidInputError, match="is live already"):
        ship_idea(shadowed, 1)
    [line] = read_ledger(shadowed)
    assert (line.phase, line.periods) == ("live", 28)
    assert line.realised.gain == pytest.approx(26.0)


@pytest.mark.parametrize("phase", ["shadow", "canary"])
def test_harmful_evidence_is_refused_and_says_rollback(shadowed: Project, phase: str):
    """A release that loses money beyond doubt goes nowhere, and the message says what to do."""
    start = 0
    if phase == "canary":
        kiosk.live(shadowed, 0, [0.0] * 14)
        ship_idea(shadowed, 1)
        start = 14
    kiosk.live(shadowed, start, [BAD * 3] * 40)
    with pytest.raises(GateClosedError, match=rf"(?s){phase} to .*harm beyond doubt in money.*shipworthy rollback"):
        ship_idea(shadowed, 1)
    assert _now(shadowed).phase == phase


def test_a_harmed_guardrail_is_refused(shadowed: Project):
    """Money alone does not open the gate: a guardrail that is worse beyond doubt is named."""
    rollout = _now(shadowed)
    releases = {"champion": rollout.champion, "challenger": rollout.challenger}
    for i in range(40):
        day = f"2025-0{6 + i // 28}-{1 + i % 28:02d}"
        kiosk.append(shadowed, "decisions", [kiosk.entry(day, releases, {"champion": 10.0, "challenger": 90.0})])
        kiosk.append(shadowed, "outcomes", [kiosk.outcome(day, demand=90)])
    with pytest.raises(GateClosedError, match="harm beyond doubt in guardrail baked"):
        ship_idea(shadowed, 1)


def test_inconclusive_evidence_never_promotes_to_live(shadowed: Project):
    """No difference is enough for a canary, and never for live, however long it lasts and however often it is asked."""
    kiosk.live(shadowed, 0, [0.0] * 28)
    assert ship_idea(shadowed, 1).rollout.phase is Phase.CANARY
    for start in (28, 68):
        kiosk.live(shadowed, start, [0.5, -0.5] * 20)
        with pytest.raises(GateClosedError, match="The live gain is not beyond doubt yet"):
            ship_idea(shadowed, 1)
    assert _now(shadowed).phase is Phase.CANARY


def test_less_than_the_smallest_gain_worth_shipping_is_not_enough(shadowed: Project):
    """A gain that is certain but smaller than what was said to be worth shipping does not go live."""
    kiosk.live(shadowed, 0, [0.9] * 40)
    ship_idea(shadowed, 1)
    kiosk.live(shadowed, 40, [0.9] * 20)
    with pytest.raises(GateClosedError, match="not beyond doubt"):
        ship_idea(shadowed, 1)


@pytest.mark.parametrize(
    ("days", "says"), [(0, "No live period has its outcome yet"), (13, "13 of the 14 live periods")]
)
def test_too_few_periods_are_refused(shadowed: Project, days: int, says: str):
    """Nothing moves on few periods, however good they are."""
    kiosk.live(shadowed, 0, [GOOD] * days)
    with pytest.raises(GateClosedError, match=says):
        ship_idea(shadowed, 1)


def test_periods_without_outcome_do_not_count(shadowed: Project):
    """A decision is evidence only once its outcome is known."""
    kiosk.live(shadowed, 0, [GOOD] * 30, answered=False)
    with pytest.raises(GateClosedError, match="No live period has its outcome yet"):
        ship_idea(shadowed, 1)
    kiosk.append(
        shadowed,
        "outcomes",
        [{**kiosk.outcome("2025-05-06"), "rows": [{"day": "2025-05-06", "bread": "rye", "demand": None}]}],
    )
    with pytest.raises(GateClosedError, match="No live period has its outcome yet"):
        ship_idea(shadowed, 1)


def test_a_release_that_falls_is_refused(shadowed: Project):
    """More than one period in twenty decided by the fallback speaks against the release, whatever was earned."""
    kiosk.live(shadowed, 0, [GOOD] * 38)
    kiosk.live(shadowed, 38, [GOOD] * 2, rung="fallback")
    assert ship_idea(shadowed, 1).rollout.phase is Phase.CANARY
    kiosk.live(shadowed, 40, [GOOD], rung="fallback")
    with pytest.raises(GateClosedError, match="did not decide itself in 3 of 41 periods"):
        ship_idea(shadowed, 1)


def test_other_releases_periods_do_not_count(shadowed: Project):
    """Evidence is of the two releases of this rollout; what others decided is passed over."""
    rollout = _now(shadowed)
    others = {"champion": rollout.champion, "challenger": "0" * 16}
    for i in range(1, 29):
        day = f"2025-06-{i:02d}"
        kiosk.append(shadowed, "decisions", [kiosk.entry(day, others, {"champion": 63.0, "challenger": 50.0})])
        kiosk.append(shadowed, "outcomes", [kiosk.outcome(day)])
    with pytest.raises(GateClosedError, match="No live period"):
        ship_idea(shadowed, 1)


def test_a_unit_decided_again_counts_once(shadowed: Project):
    """Of overlapping requests for one period each unit counts once, as it was decided last; so do corrected outcomes."""
    rollout = _now(shadowed)
    releases = {"champion": rollout.champion, "challenger": rollout.challenger}
    day = "2025-06-01"
    for loaves, breads in (
        ((90.0, 90.0), ("rye", "white")),
        ((53.0, 50.0), ("rye",)),
        ((55.0, 50.0), ("white", "rye")),
    ):
        decided = dict(zip(releases, loaves, strict=True))
        kiosk.append(shadowed, "decisions", [kiosk.entry(day, releases, decided, breads=breads)])
    kiosk.append(
        shadowed, "decisions", [kiosk.entry(day, releases, {"champion": 57.0, "challenger": 50.0}, breads=("rye",))]
    )
    kiosk.append(shadowed, "outcomes", [kiosk.outcome(day, demand=1), kiosk.outcome(day)])
    sides = sides_of(rollout_history(shadowed, "kiosk"), "0001")
    live = live_evidence(shadowed, sides, open_release(shadowed, rollout.challenger))
    gains = (live.table["value_challenger"] - live.table["value_champion"]).to_list()
    assert live.table["unit"].to_list() == ["rye", "white"]
    assert gains == [7.0, 5.0]
    assert live.conduct.new.asked == 1


def test_an_outcome_that_cannot_be_valued_is_said(shadowed: Project):
    """A live outcome of a wrong type is an error that names the log and the column, not a number made up."""
    kiosk.live(shadowed, 0, [GOOD] * 3, answered=False)
    kiosk.append(
        shadowed,
        "outcomes",
        [{**kiosk.outcome("2025-05-06"), "rows": [{"day": "2025-05-06", "bread": "rye", "demand": "many"}]}],
    )
    with pytest.raises(InvalidInputError, match=r"live log of problem 'kiosk'.*'demand'"):
        ship_idea(shadowed, 1)


def test_a_rollback_is_sticky(shadowed: Project):
    """What was taken back serves no more and cannot be shipped again; the idea after it can."""
    before = _now(shadowed)
    back = roll_back(shadowed, "kiosk", "too many complaints")
    assert (back.phase, back.champion, back.challenger) == (Phase.ROLLED_BACK, before.champion, None)
    assert (back.why, _says(shadowed, 1)) == ("too many complaints", "rolled back")
    with pytest.raises(GateClosedError, match="A rollback is sticky: begin a new idea"):
        ship_idea(shadowed, 1)
    assert ship_idea(shadowed, 2).rollout.phase is Phase.SHADOW
    roll_back(shadowed, "kiosk", "that one too")
    with pytest.raises(GateClosedError, match="sticky"):
        ship_idea(shadowed, 1)


def _take_live(project: Project, first: int = 0) -> Rollout:
    kiosk.live(project, first, [GOOD] * 14)
    ship_idea(project, 1)
    kiosk.live(project, first + 14, [GOOD] * 14)
    return ship_idea(project, 1).rollout


def test_what_is_live_can_be_taken_back(shadowed: Project):
    """After a rollback from live, the release from before it serves again."""
    baseline = _now(shadowed).champion
    _take_live(shadowed)
    assert _says(shadowed, 1) == "live"
    back = roll_back(shadowed, "kiosk", "why")
    assert (back.champion, back.challenger) == (baseline, None)


def _follow_with_idea_two(project: Project) -> None:
    """Makes the live policy the champion in the code; demand has changed, so that the old one, as idea 2, is better."""
    code = kiosk.PROBLEM.replace("MARGIN", "90.0").replace("(champion=True)", "", 1)
    code = code.replace("@kiosk.policy\nclass Weekday", "@kiosk.policy(champion=True)\nclass Weekday")
    (project.root / "problem.py").write_text(code)
    kiosk.write_rows(project.root, level=kiosk.ups_and_downs)
    kiosk.write_idea(project.root, 2, "yesterday", gain=0.0)
    examine_data(project, 2)
    research_idea(project, 2)
    verdict = analyse_idea(project, 2).verdict
    assert verdict.decision == "ship", verdict.reasons
    ship_idea(project, 2)


def test_what_is_live_can_be_taken_back_after_a_later_idea_was(shadowed: Project):
    """Taking back a later idea leaves the earlier one live, and able to be taken back in its turn; then nothing is left."""
    baseline = _now(shadowed).champion
    live = _take_live(shadowed)
    _follow_with_idea_two(shadowed)
    assert (_says(shadowed, 1), _says(shadowed, 2)) == ("live", "in shadow")
    back = roll_back(shadowed, "kiosk", "idea 2 is no good")
    assert (back.champion, back.idea) == (live.champion, "0002")
    assert _says(shadowed, 1) == "live"
    back = roll_back(shadowed, "kiosk", "nor is idea 1")
    assert (back.champion, back.challenger, back.idea) == (baseline, None, "0001")
    assert (_says(shadowed, 1), _says(shadowed, 2)) == ("rolled back", "rolled back")
    with pytest.raises(InvalidInputError, match="Nothing to take back"):
        roll_back(shadowed, "kiosk", "more")


def _refitted(project: Project, challenger: str) -> Rollout:
    """Moves on as a refit does: the same policies on the rows of another day are other releases."""
    before = _now(project)
    kiosk.write_rows(project.root, seed=before.version)
    replayed, names = replay_of(project, "kiosk"), {"champion": "weekday", "challenger": challenger}
    made = {
        arm: build_release(replayed, name, before.idea)
        for arm, name in names.items()
        if getattr(before, arm) is not None
    }
    assert not {before.champion, before.challenger} & {*made.values()}
    move = {field.name: getattr(before, field.name) for field in fields(Move)}
    return make_move(project, "kiosk", before, Move(**{**move, **made, "why": "a refit"}))


@pytest.mark.parametrize("first", ["refit", "rollback"])
@pytest.mark.parametrize("end", ["rollback", "retire"])
def test_what_is_live_can_be_taken_back_after_a_refit(shadowed: Project, first: str, end: str):
    """A refit in or after a later idea's trial makes other releases; the earlier idea is live still, and is taken back."""
    baseline = _now(shadowed).champion
    _take_live(shadowed)
    _follow_with_idea_two(shadowed)
    if first == "refit":
        _refitted(shadowed, "yesterday")
    roll_back(shadowed, "kiosk", "idea 2 is no good")
    if first == "rollback":
        _refitted(shadowed, "yesterday")
    assert (_says(shadowed, 1), _says(shadowed, 2)) == ("live", "rolled back")
    back = roll_back(shadowed, "kiosk", "nor is idea 1") if end == "rollback" else retire_idea(shadowed, 1, "faded")
    assert (back.champion, back.challenger, back.idea) == (baseline, None, "0001")
    with pytest.raises(InvalidInputError, match="Nothing to take back"):
        roll_back(shadowed, "kiosk", "more")


def test_an_idea_compared_with_what_no_longer_serves_is_refused(shadowed: Project):
    """An idea whose evidence is against the old champion cannot follow one that has replaced it."""
    _take_live(shadowed)
    with pytest.raises(GateClosedError, match="weekday serves, but the idea was compared with yesterday"):
        ship_idea(shadowed, 2)


def test_nothing_to_take_back_is_said(judged: Project):
    """Taking back needs something on trial or live."""
    with pytest.raises(NotFoundError, match=r"No rollout of problem 'kiosk'\. There is none yet\."):
        roll_back(judged, "kiosk", "why")


def test_two_ideas_on_one_decision_are_refused(shadowed: Project):
    """While one idea is tried, no other can be: their effects could not be told apart."""
    with pytest.raises(GateClosedError, match=r"Idea 1 is in shadow on the same decision.*shipworthy rollback"):
        ship_idea(shadowed, 2)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.0, 1.1, float("nan"), float("inf")])
def test_a_share_is_a_share(shadowed: Project, share: float):
    """A canary's share lies between 0 and 1: with everybody in it nothing could be proven, and it would be live unproven."""
    kiosk.live(shadowed, 0, [GOOD] * 14)
    with pytest.raises(InvalidInputError, match="share is above 0 and below 1"):
        ship_idea(shadowed, 1, share=share)
    assert _now(shadowed).phase is Phase.SHADOW


def test_of_two_people_at_once_one_wins(shadowed: Project):
    """Two people promote at the same moment: one move is made, the other person is told to look again."""
    kiosk.live(shadowed, 0, [GOOD] * 14)
    start = Barrier(2)

    def promote(who: int) -> Phase | str:
        project = open_project(shadowed.root)
        seen = read_rollout(project, "kiosk")
        start.wait()
        try:
            move = Move(
                phase=Phase.CANARY,
                champion=seen.champion,
                challenger=seen.challenger,
                share=0.5,
                idea=seen.idea,
                why="",
            )
            return make_move(project, "kiosk", seen, move).phase
        except PreconditionError as error:
            return str(error)
        finally:
            project.records.close()

    with ThreadPoolExecutor(2) as pool:
        moved, told = sorted(pool.map(promote, range(2)))
    assert moved is Phase.CANARY or told is Phase.CANARY
    assert "somebody else moved it meanwhile. Look at it again" in f"{moved}{told}"
    assert len(rollout_history(shadowed, "kiosk")) == 3


def test_a_move_between_look_and_move_is_noticed(shadowed: Project, monkeypatch: pytest.MonkeyPatch):
    """Somebody who rolls back while another one promotes is not overrun."""
    kiosk.live(shadowed, 0, [GOOD] * 14)
    real = make_move

    def slow(project: Project, problem: str, before: Rollout, move: Move) -> Rollout:
        monkeypatch.setattr("shipworthy.ship.ship.make_move", real)
        other = open_project(shadowed.root)
        roll_back(other, "kiosk", "stop")
        other.records.close()
        return real(project, problem, before, move)

    monkeypatch.setattr("shipworthy.ship.ship.make_move", slow)
    with pytest.raises(PreconditionError, match="at version 3, not 2"):
        ship_idea(shadowed, 1)
    assert _now(shadowed).phase is Phase.ROLLED_BACK


def test_what_served_when_is_answered_for_every_instant(shadowed: Project):
    """Before the first move nothing served; from each move to the next it is what that move said."""
    roll_back(shadowed, "kiosk", "why")
    moves = rollout_history(shadowed, "kiosk")
    assert [move.phase for move in moves] == [Phase.LIVE, Phase.SHADOW, Phase.ROLLED_BACK]
    tick = timedelta(microseconds=1)
    assert read_rollout(shadowed, "kiosk", at=moves[0].at - tick) is None
    for move in moves:
        assert read_rollout(shadowed, "kiosk", at=move.at).version == move.version
        assert read_rollout(shadowed, "kiosk", at=move.at - tick) != move


def test_a_canary_is_sticky_and_has_its_share(shadowed: Project):
    """Who answers for a period never changes, differs between periods, and is the challenger as often as was asked."""
    rollout = _now(shadowed)
    canary = replace(rollout, phase=Phase.CANARY, share=0.3)
    arms = [canary.arms_of(day, ["rye", "white"]) for day in range(2000)]
    assert arms == [canary.arms_of(day, ["rye", "white"]) for day in range(2000)]
    assert 0.26 < arms.count("challenger") / 2000 < 0.34


def test_the_releases_of_a_copied_project_are_its_own(shadowed: Project, tmp_path: Path):
    """A copy of the folder is a whole project: it opens its releases and goes on from where it stands."""
    copy = open_project(copytree(shadowed.root, tmp_path / "copy"))
    kiosk.live(copy, 0, [GOOD] * 14)
    assert ship_idea(copy, 1).rollout.phase is Phase.CANARY
    assert _now(shadowed).phase is Phase.SHADOW
    copy.records.close()
