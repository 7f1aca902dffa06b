"""Tuning: it finds what is there to find, in the past alone, resumes to the same result, and its trials are counted."""

import multiprocessing
import os
import pickle
import sys
import time
import warnings
from functools import partial
from importlib import import_module
from pathlib import Path

import optuna
import polars as pl
import pytest

from shipworthy.data.leakage import find_leaks
from shipworthy.engine import fit_decider
from shipworthy.errors import InvalidInputError, UnavailableError, UserCodeError
from shipworthy.problem import Policy
from shipworthy.research.research import research_idea
from shipworthy.research.tuning import Tuned
from shipworthy.ship.release import build_release, open_release
from shipworthy.step import History, Moment, Rung, take_step
from tests.cli.typed import typed
from tests.problems import HERE, SHOP, day, make_project, replay_of, sales, shop, tracks
from tests.research.test_windows import walked

PAST = sales(24).with_columns(sold=pl.col("day").dt.weekday() + 20)

TUNED = (
    SHOP
    + """
class Scaled(Yesterday):
    def __init__(self, scale):
        self.scale = scale
        self.memory = "1d"

    def decide(self, now, fitted):
        return super().decide(now, fitted).with_columns(pl.col("stock") * self.scale)

@shop.policy
def tuned():
    return sw.Tuned(shop, lambda trial: Scaled(trial.suggest_float("scale", 0, 3)), trials=6, memory="1d", refit="14d")
"""
)


class Level(Policy):
    """The same stock of everything."""

    def __init__(self, level, fails=False):
        self.level, self.fails = level, fails

    def fit(self, past):
        """Notes how far the past goes."""
        if self.fails:
            raise ValueError("no such level")
        return str(past["day"].max())

    def decide(self, now, fitted):
        """Always the level."""
        return [float(self.level)] * now.rows.height


def near():
    """A problem whose best stock is what is sold: 21 to 27."""
    problem = shop(PAST)
    problem.value(lambda happened: -(pl.col("stock") - pl.col("sold")).abs())
    return problem


def leveled(trial):
    """A candidate of one level."""
    return Level(trial.suggest_float("level", 0, 60))


def test_a_planted_optimum_is_found_and_fitted_on_all_of_the_past():
    """The middle of what is sold is the best level; the winner has seen everything, its folds had not."""
    tuned = Tuned(near(), leveled, trials=40)
    tuning = tuned.fit(PAST)

    assert abs(tuning.params["level"] - 24) < 1
    assert tuning.fitted == str(day(23))
    assert tuned.looks(tuning) == len(tuning.trials) == 40
    assert {trial["state"] for trial in tuning.trials} == {"complete", "pruned"}
    best = max(trial["value"] for trial in tuning.trials if trial["value"] is not None)
    assert best == next(trial["value"] for trial in tuning.trials if trial["params"] == tuning.params)


def test_the_value_of_a_trial_is_the_money_per_period_of_rolling_folds():
    """By hand: of 24 periods the first 6 are only learnt from, the other 18 are decided with a fit for each 6."""
    seen = []

    class Noted(Level):
        def fit(self, past):
            seen.append(past["day"].n_unique())

    tuned = Tuned(near(), lambda trial: Noted(trial.suggest_int("level", 22, 22)), trials=1, gap="2d")
    [trial] = tuned.fit(PAST).trials
    by_hand = -(PAST.filter(pl.col("day") >= day(6))["sold"] - 22).abs().sum() / 18

    assert trial["value"] == pytest.approx(by_hand)
    assert seen == [4, 10, 16, 24]


def test_the_search_sees_the_past_only_up_to_its_last_mark():
    """With tune_every, fits between two marks find the same winner, each fitted on all that it is given."""
    tuned = Tuned(near(), leveled, trials=8, tune_every="10d")
    history = History(tuned.problem, PAST)
    before, first, second = (fit_decider("tuned", tuned, history, day(n)).fitted for n in (16, 17, 19))

    assert before.trials != first.trials == second.trials
    assert (first.fitted, second.fitted) == (str(day(16)), str(day(18)))


MADE: list[optuna.Trial] = []
DIES: list[bool] = []


def dying(trial):
    """A candidate of one level; where it is to die, the sixth is the end of the process, without a goodbye."""
    MADE.extend([trial] if isinstance(trial, optuna.Trial) else [])
    if DIES and len(MADE) == 6:
        os._exit(9)
    return leveled(trial)


def killed(journal, first, folder):
    """Searches, and dies in the middle of its sixth trial if it is the first."""
    DIES.extend([first] if first else [])
    found = Tuned(near(), dying, trials=12, journal=str(journal), seed=3).fit(PAST)
    (folder / "found").write_bytes(pickle.dumps((found, len(MADE))))


def test_a_killed_search_resumes_to_the_same_result(tmp_path: Path):
    """Ended by the system in its sixth trial, with half a line in its journal, it goes on to what it would have found."""
    journal = tmp_path / "journal"
    for first in (True, False):
        process = multiprocessing.get_context("spawn").Process(target=killed, args=(journal, first, tmp_path))
        process.start()
        process.join()
        assert process.exitcode == (9 if first else 0)
        [log] = journal.glob("*.log")
        if first:
            log.write_bytes(log.read_bytes() + b'{"op_code":')
    resumed, made = pickle.loads((tmp_path / "found").read_bytes())
    whole = Tuned(near(), leveled, trials=12, seed=3).fit(PAST)

    assert resumed == whole
    assert pickle.dumps(resumed, 5) == pickle.dumps(whole, 5)
    assert made == 12 - 5


def test_a_journal_of_more_trials_gives_a_smaller_search_no_more_than_its_own(tmp_path: Path):
    """What a search finds depends on what was asked for, not on what its journal happens to hold."""
    journal = str(tmp_path / "journal")
    for trials in (9, 4, 12):
        found = Tuned(near(), leveled, trials=trials, journal=journal).fit(PAST)
        assert found == Tuned(near(), leveled, trials=trials).fit(PAST)


def patient(trial):
    """A candidate that takes its time."""
    time.sleep(0.02)
    return leveled(trial)


def searched(journal, folder, number):
    """One of several searches for the same."""
    found = Tuned(near(), patient, trials=8, journal=str(journal)).fit(PAST)
    (folder / f"{number}").write_bytes(pickle.dumps(found))


def test_two_fits_that_search_for_the_same_at_once_share_one_search(tmp_path: Path):
    """Blocks between two marks run side by side, over one journal: the second waits, and finds what the first found."""
    processes = [
        multiprocessing.get_context("spawn").Process(target=searched, args=(tmp_path / "journal", tmp_path, number))
        for number in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    first, second = (pickle.loads((tmp_path / f"{number}").read_bytes()) for number in range(2))

    assert first == second == Tuned(near(), leveled, trials=8).fit(PAST)


def test_another_past_or_seed_is_another_search(tmp_path: Path):
    """A journal is named by what its result depends on: nothing of one search is taken for another."""
    for seed, past in ((1, PAST), (1, PAST), (2, PAST), (1, PAST.head(60))):
        Tuned(near(), leveled, trials=2, journal=str(tmp_path / "journal"), seed=seed).fit(past)
    assert len(list((tmp_path / "journal").glob("*.log"))) == 3


def test_searches_of_one_file_are_told_apart(tmp_path: Path):
    """By where their candidates are made, and by what that closes over; what cannot be compared is refused."""
    journal = str(tmp_path / "journal")

    def up_to(most):
        return lambda trial: Level(trial.suggest_float("level", 0, most))

    makers = [leveled, lambda trial: Level(trial.suggest_float("level", 50, 60)), up_to(5), up_to(60)]
    found = [Tuned(near(), make, trials=3, journal=journal).fit(PAST) for make in makers]
    assert found == [Tuned(near(), make, trials=3).fit(PAST) for make in makers]
    assert len(list((tmp_path / "journal").glob("*.log"))) == 4
    with pytest.raises(UserCodeError, match="closes over 'most', a DataFrame"):
        Tuned(near(), up_to(PAST), journal=journal).fit(PAST)
    with pytest.raises(UserCodeError, match="not a partial"):
        Tuned(near(), partial(leveled), journal=journal).fit(PAST)


def test_a_candidate_that_fails_is_recorded_and_the_others_go_on():
    """What it raised stands in its trial; where all fail, the policy cannot be fitted, and the message says why."""
    tuned = Tuned(near(), lambda trial: Level(24, fails=trial.suggest_categorical("fails", [True, False])), trials=8)
    trials = tuned.fit(PAST).trials
    assert {(t["params"]["fails"], t["state"], t["why"]) for t in trials} == {
        (True, "pruned", "ValueError: no such level"),
        (False, "complete", None),
    }
    hopeless = Tuned(near(), lambda trial: Level(24, fails=True), trials=3)
    with pytest.raises(UserCodeError, match=r"All 3 candidates failed. The first: ValueError: no such level"):
        hopeless.fit(PAST)


def test_a_candidate_that_leaves_a_period_undecided_fails():
    """Not deciding what is hard is no way to a better mean."""
    with pytest.raises(UserCodeError, match=r"All 2 candidates failed.*left a period undecided.*null, NaN or infinite"):
        Tuned(near(), lambda trial: Level(float("nan")), trials=2).fit(PAST)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"memory": "9d"}, "A candidate declares memory = '9d', and Tuned '0d'. Declare it on Tuned"),
        ({"time_limit": 1.0}, "A candidate declares time_limit = 1.0, and Tuned None"),
    ],
)
def test_what_holds_for_all_candidates_is_declared_once(changes, says):
    """A search cannot change what a release has to know beforehand."""

    def odd(trial):
        candidate = Level(1)
        for name, value in changes.items():
            setattr(candidate, name, value)
        return candidate

    with pytest.raises(UserCodeError, match=says):
        Tuned(near(), odd).fit(PAST)


def test_what_cannot_be_searched_is_refused():
    """No trial, no fold, no past, no policy."""
    for wrong in ({"trials": 0}, {"folds": 0}, {"tune_every": "0d"}):
        with pytest.raises(InvalidInputError, match=next(iter(wrong))):
            Tuned(near(), leveled, **wrong)
    with pytest.raises(UserCodeError, match="3 periods are too few to search in with 3 folds"):
        Tuned(near(), leveled).fit(PAST.head(9))
    with pytest.raises(
        UserCodeError, match=r"0 periods before the last mark of tune_every = '\d+d' are .* tune more often"
    ):
        Tuned(near(), leveled, tune_every="9999d").fit(PAST)
    with pytest.raises(UserCodeError, match=r"gives a float, which is no shipworthy.Policy"):
        Tuned(near(), lambda trial: trial.suggest_float("level", 0, 1)).fit(PAST)


def test_a_search_is_silent(capfd):
    """Optuna says nothing and warns of nothing meanwhile, and speaks as before afterwards."""
    before = optuna.logging.get_verbosity()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Tuned(near(), leveled, trials=3).fit(PAST)
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == before


def leaks(folder, source):
    """What the leak proof finds in the tuned policy of a project."""
    return find_leaks(replay_of(make_project(folder, source)), "tuned", HERE)


def test_a_tuned_policy_leaks_nothing(tmp_path):
    """What lies ahead is scrambled, and neither the winner nor its decisions move."""
    assert leaks(tmp_path / "shop", TUNED) == []


def test_a_candidate_that_looks_ahead_is_caught(tmp_path):
    """A candidate that reads tomorrow from a table beside wins every search, and the proof finds it."""
    ahead = TUNED.replace("class Scaled", "ALL = made_up_rows()\n\nclass Scaled").replace(
        "return super().decide(now, fitted)",
        'return ALL.filter(pl.col("day") == now.period).select("item", stock="sold")',
    )
    [leak] = leaks(tmp_path / "shop", ahead)
    assert leak.kind == "decision"


def test_trials_are_counted_as_looks(tmp_path):
    """Each fit's trials are in the track, in the record and on the terminal; read from the cache, they are the same."""
    project = walked(tmp_path / "shop", TUNED, texts={"challenger": "tuned"})
    found = research_idea(project, 1)
    said = typed(project.root, "research", 1)
    today, tuned = tracks(project, "today", "tuned", engine=HERE)

    assert (today.looks, tuned.looks) == (0, 12)
    assert found.looks == {"champion": 0, "challenger": 12}
    assert "Searched    challenger: 12 candidates" in said.out
    assert project.records.get("research", "0001").body["looks"] == found.looks


def test_a_release_packs_the_winner(tmp_path):
    """Built twice it has the same name, and opened it decides what the policy decided where it was built."""
    replayed = replay_of(make_project(tmp_path / "shop", TUNED))
    name = build_release(replayed, "tuned", None)
    release = open_release(replayed.project, name)
    period = replayed.history.periods[-1]
    moment = Moment(period=period, rows=replayed.history.to_decide(period), history=replayed.history)
    decided = take_step(release.problem, moment, release.decider)

    assert build_release(replayed, "tuned", None) == name
    assert decided.rung is Rung.POLICY
    assert decided.decisions.equals(release.golden.filter(pl.col("day") == period).drop("day"))


def test_without_optuna_the_message_says_what_to_install(monkeypatch):
    """Whoever asks for Tuned is told which extra holds it; nothing else needs it."""
    monkeypatch.setitem(sys.modules, "optuna", None)
    for name in ("shipworthy.research.tuning", "shipworthy.research.journal"):
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(UnavailableError, match=r"pip install 'shipworthy\[tuning\]'"):
        import_module("shipworthy.research.tuning")
