"""A refit: what serves learns again from newer rows; code, phase, share and idea stay, and it moves whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import shipworthy.ship.parity
from shipworthy.errors import GateClosedError, NotFoundError, UserCodeError
from shipworthy.project import Project, open_project
from shipworthy.ship.back import pause_idea, resume_idea
from shipworthy.ship.parity import Parity, prove_parity
from shipworthy.ship.refit import refit
from shipworthy.ship.release import Release, build_release, open_release
from shipworthy.ship.rollout import Move, Phase, Rollout, make_move, read_rollout, rollout_history
from tests.problems import SHOP, make_project, replay_of

IDLE = '\nshop.policy(name="idle")(type("Idle", (Yesterday,), {"refit": None}))\n'


@pytest.fixture(autouse=True)
def asked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Takes parity for proven, except where a test is marked by its name; gives the releases that were asked."""
    releases: list[str] = []

    def proven(project: Project, release: Release) -> Parity:
        releases.append(release.id)
        if "server" in request.node.name:
            return prove_parity(project, release)
        return Parity(periods=10, equal=10, tied=0, broken=())

    monkeypatch.setattr(shipworthy.ship.parity, "prove_parity", proven)
    return releases


def _shop(folder: Path, days: int = 40, source: str = SHOP) -> Project:
    """A shop whose rows go so far."""
    return make_project(folder, source.replace("days=40", f"days={days}") + IDLE)


def _rolled_out(project: Project, champion: str = "today", challenger: str | None = "better") -> Rollout:
    built = [build_release(replay_of(project), name, None) for name in (champion, challenger) if name]
    first = Move(phase=Phase.LIVE, champion=built[0], why="the baseline")
    now = make_move(project, "shop", None, first)
    if challenger is None:
        return now
    canary = Move(phase=Phase.CANARY, champion=built[0], challenger=built[1], share=0.25, idea="0001", why="canary")
    return make_move(project, "shop", now, canary)


def test_both_sides_learn_again_and_the_phase_stays(tmp_path: Path):
    """Champion and challenger are fitted on the rows of today, in one move that changes nothing else."""
    before = _rolled_out(_shop(tmp_path / "shop"))
    project = _shop(tmp_path / "shop", days=47)
    done = refit(project, "shop")
    now = read_rollout(project, "shop")
    assert done.rollout == now
    assert (now.phase, now.share, now.idea, now.version) == (
        before.phase,
        before.share,
        before.idea,
        before.version + 1,
    )
    assert done.made == {before.champion: now.champion, before.challenger: now.challenger}
    assert now.why == "It was fitted again, through 2026-02-16."
    for old, new in done.made.items():
        earlier, later = open_release(project, old), open_release(project, new)
        assert (later.decider.fitted, earlier.decider.fitted) == (47 * 3, 40 * 3)
        assert later.manifest["lineage"]["refit_of"] == old
        assert later.decider.name == earlier.decider.name


def test_a_refit_has_parity_behind_its_real_server(tmp_path: Path, asked: list[str]):
    """The new release decides behind its server what it decided where it was built."""
    _rolled_out(_shop(tmp_path / "shop"), challenger=None)
    done = refit(_shop(tmp_path / "shop", days=47), "shop")
    assert asked == [done.rollout.champion]
    assert (done.parity[done.rollout.champion].equal, done.parity[done.rollout.champion].broken) == (10, ())


def test_the_code_that_serves_is_fitted_not_that_of_the_folder(tmp_path: Path):
    """What was changed in the project since is not shipped on the way: a refit is no idea."""
    before = _rolled_out(_shop(tmp_path / "shop"))
    changed = SHOP.replace("return past.height", "return -1").replace("mean()", "max()")
    project = _shop(tmp_path / "shop", days=47, source=changed)
    done = refit(project, "shop")
    assert {open_release(project, new).decider.fitted for new in done.made.values()} == {47 * 3}
    code = [open_release(project, name).manifest["files"]["code/problem.py"]["object"] for name in done.made]
    again = [open_release(project, name).manifest["files"]["code/problem.py"]["object"] for name in done.made.values()]
    assert code == again
    assert before.champion in done.made


@pytest.mark.parametrize(("days", "is_due"), [(40, False), (46, False), (47, True), (60, True)])
def test_it_is_due_by_the_policys_own_cadence(tmp_path: Path, days: int, is_due: bool):
    """Asked every day, it fits once in seven, as the replay did."""
    before = _rolled_out(_shop(tmp_path / "shop"))
    project = _shop(tmp_path / "shop", days=days)
    done = refit(project, "shop", if_due=True)
    assert bool(done.made) is is_due
    assert (read_rollout(project, "shop").version > before.version) is is_due
    assert not refit(project, "shop", if_due=True).made


def test_only_what_is_due_is_fitted(tmp_path: Path):
    """A policy that learns once is left as it is, beside one that learns again."""
    before = _rolled_out(_shop(tmp_path / "shop"), champion="idle")
    project = _shop(tmp_path / "shop", days=60)
    now = refit(project, "shop", if_due=True).rollout
    assert now.champion == before.champion
    assert now.challenger != before.challenger


def test_without_newer_rows_nothing_moves(tmp_path: Path):
    """The same rows give the same releases, and the same rollout."""
    project = _shop(tmp_path / "shop")
    before = _rolled_out(project)
    done = refit(project, "shop")
    assert not done.made
    assert done.rollout == before


@pytest.mark.parametrize("phase", [Phase.CANARY, Phase.LIVE])
def test_a_refit_in_a_pause_outlives_it(tmp_path: Path, phase: Phase):
    """What was fitted while an idea was paused is what goes on when it is resumed, each release in its own place."""
    project = _shop(tmp_path / "shop")
    before = _rolled_out(project)
    if phase is Phase.LIVE:
        live = Move(
            phase=phase, champion=str(before.challenger), challenger=before.champion, idea=before.idea, why="a gain"
        )
        before = make_move(project, "shop", before, live)
    pause_idea(project, 1, "stock-taking")
    project = _shop(tmp_path / "shop", days=47)
    made = refit(project, "shop").made
    now = resume_idea(project, 1, "it is done")
    assert (now.champion, now.challenger) == (made[before.champion], made[str(before.challenger)])
    assert (now.phase, now.share, now.draw, now.idea) == (before.phase, before.share, before.draw, before.idea)


def _unmoved(project: Project, before: Rollout) -> None:
    assert read_rollout(project, "shop") == before
    assert len(rollout_history(project, "shop")) == before.version


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("days=40", "days=39"), r"The rows end at 2026-02-08.*knows 2026-02-09"),
        (('"price": 2.0 + place', '"price": "two"'), r"knows other columns: price as Float64, not String"),
        (('"price": 2.0 + place, ', ""), r"price as Float64, which is gone"),
    ],
    ids=["older rows", "another type", "a column gone"],
)
def test_rows_that_the_release_does_not_know_move_nothing(tmp_path: Path, change: tuple[str, str], says: str):
    """A source that changed under what serves is refused before anything is fitted."""
    before = _rolled_out(_shop(tmp_path / "shop"))
    project = make_project(tmp_path / "shop", SHOP.replace(*change) + IDLE)
    with pytest.raises(GateClosedError, match=says):
        refit(project, "shop")
    _unmoved(project, before)


def test_rows_that_look_ahead_move_nothing(tmp_path: Path):
    """A preparation that was changed to know the future is found before anything is fitted on it."""
    ahead = ').then(lambda rows: rows.with_columns(price=2.0 + pl.col("sold").shift(-3).over("item").fill_null(0)))'
    before = _rolled_out(_shop(tmp_path / "shop"))
    source = SHOP.replace("rows=sw.frame(made_up_rows)", "rows=sw.frame(made_up_rows" + ahead)
    project = _shop(tmp_path / "shop", days=47, source=source)
    with pytest.raises(GateClosedError, match="preparation of the rows looks ahead"):
        refit(project, "shop")
    _unmoved(project, before)


def test_rows_that_are_too_old_for_the_contract_move_nothing(tmp_path: Path):
    """The contract's freshness holds for a refit too."""
    before = _rolled_out(_shop(tmp_path / "shop"))
    project = _shop(tmp_path / "shop", days=47)
    (project.root / "contracts").mkdir()
    (project.root / "contracts" / "shop.toml").write_text('freshness = "3d"\n')
    with pytest.raises(GateClosedError, match="The newest outcome is of 2026-02-16"):
        refit(project, "shop")
    _unmoved(project, before)


def test_without_parity_nothing_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """One side that cannot be proven keeps the other one back too."""
    before = _rolled_out(_shop(tmp_path / "shop"))
    project = _shop(tmp_path / "shop", days=47)

    def broken(project: Project, release: Release) -> Parity:
        wrong = ("2026-02-16: otherwise",) if release.decider.name == "better" else ()
        return Parity(periods=10, equal=10 - len(wrong), tied=0, broken=wrong)

    monkeypatch.setattr(shipworthy.ship.parity, "prove_parity", broken)
    with pytest.raises(GateClosedError, match=r"No parity\. 2026-02-16: otherwise"):
        refit(project, "shop")
    _unmoved(project, before)


def test_a_fit_that_fails_moves_nothing(tmp_path: Path):
    """A policy that cannot learn from the rows of today goes on with what it learnt before."""
    fails = SHOP.replace("return past.height", "return past.height // (past.height < 130)")
    before = _rolled_out(_shop(tmp_path / "shop", source=fails))
    project = _shop(tmp_path / "shop", days=47, source=fails)
    with pytest.raises(UserCodeError, match="could not be fitted"):
        refit(project, "shop")
    _unmoved(project, before)


def test_what_is_not_rolled_out_is_said(tmp_path: Path):
    """Asked for another problem, it says which there are."""
    project = _shop(tmp_path / "shop")
    with pytest.raises(NotFoundError, match="rollout of problem 'shop'"):
        refit(project, "shop")


def test_an_untrusted_release_is_not_fitted_again(tmp_path: Path):
    """A refit signs what it makes, so it begins with releases that somebody trusted signed."""
    before = _rolled_out(_shop(tmp_path / "shop"))
    project = _shop(tmp_path / "shop", days=47)
    for public in (project.root / "keys").glob("*.pub"):
        public.unlink()
    tampered: Any = pytest.raises(Exception, match="does not trust")
    with tampered:
        refit(open_project(project.root), "shop")
    _unmoved(project, before)
