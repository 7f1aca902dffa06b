"""The replay: the same for every policy, computed once, the same on every engine, and nothing lost when it is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date, timedelta

import polars as pl
import pytest

from shipworthy.engine import ProcessEngine, first_replayed, replay
from shipworthy.errors import InvalidInputError, UserCodeError
from shipworthy.problem import Policy, Problem
from shipworthy.research.evidence import pair
from shipworthy.step import Rung, seed_of
from tests.problems import HEADER, SHOP, make_project, replay_of, sales, shop

HERE = ProcessEngine(workers=1)
THERE = ProcessEngine(workers=2)

SEEING = (
    SHOP
    + """
@shop.policy
class Seeing(Yesterday):
    def decide(self, now, fitted):
        return now.rows.select("item", stock=pl.lit(float(now.seed)))

shop.policy(name="seeing_too")(Seeing)
"""
)

BATTERY = (
    HEADER
    + """
def hours():
    return pl.DataFrame([{"hour": FIRST_HOUR + timedelta(hours=n), "site": "roof", "price": [1.0, 5.0, 2.0][n % 3]}
                         for n in range(60)]).with_columns(paid=pl.col("price"))

FIRST_HOUR = datetime(2026, 1, 1)
shop = sw.Problem("shop", rows=sw.frame(hours), period="hour", unit="site", outcome="paid", outcome_delay="1h",
                  decision="flow", warm_up="6h", initial_state={"cell": {"charge": 2.0}})

@shop.value
def money(happened):
    return -pl.col("flow") * pl.col("paid")

@shop.transition
def charged(state, happened):
    state["cell"]["charge"] += happened["flow"].sum()   # in place, as users do
    return state

@shop.policy(champion=True)
class Idle(sw.Policy):
    refit = "9h"

    def decide(self, now, fitted):
        return [0.0] * now.rows.height

@shop.policy
class Cycle(Idle):
    def decide(self, now, fitted):
        charge, price = now.state["cell"]["charge"], now.rows["price"][0]
        now.state["cell"]["charge"] = 1000.0   # reaches nobody
        return [-charge if price > 4 else 4.0 - charge if price < 2 else 0.0]
"""
)


def tracks(project, *names, engine=HERE):
    """The tracks of some policies over one snapshot, each with nothing known yet about its own blocks."""
    replayed = replay_of(project)
    return [replay(replayed, name, engine) for name in names]


def test_a_policy_against_itself_differs_by_exactly_nothing_in_every_period(tmp_path):
    """Under another name, computed on its own, every decision, value and seed is the same."""
    project = make_project(tmp_path / "shop")
    replayed = replay_of(project)
    today, twin = (replay(replayed, name, HERE) for name in ("today", "twin"))
    paired = pair(replayed.problem, today, twin)

    assert (today.fits, twin.fits) == (4, 4)
    assert paired.height == 27 * 3
    assert (paired["value_champion"] - paired["value_challenger"]).to_list() == [0.0] * paired.height
    assert today.without_telemetry().equals(twin.without_telemetry())


def test_two_engines_give_identical_tracks(tmp_path):
    """One process and two give the same rows, seeds and rungs; only the seconds differ."""
    [here] = tracks(make_project(tmp_path / "here"), "better")
    [there] = tracks(make_project(tmp_path / "there"), "better", engine=THERE)

    assert here.fits == there.fits == 4
    assert here.table.drop("seconds").equals(there.table.drop("seconds"))


def test_champion_and_challenger_get_the_same_periods_units_and_seeds(tmp_path):
    """What differs between two policies is what they decide, nothing of what they are given."""
    seeing, too, today = tracks(make_project(tmp_path / "shop", SEEING), "seeing", "seeing_too", "today")
    given = ["day", "item", "seed"]

    assert seeing.table.select(given).equals(today.table.select(given))
    assert seeing.table["stock"].to_list() == too.table["stock"].to_list()
    assert seeing.table["seed"].to_list() == [seed_of(1, period) for period in seeing.table["day"]]
    assert seeing.table["stock"].cast(pl.Int64).to_list() == seeing.table["seed"].to_list()


def test_a_fit_sees_what_was_known_at_the_first_period_of_its_block(tmp_path):
    """The rows of a fit grow by its cadence, and never hold a period whose outcome is out."""
    source = SHOP + (
        "\n@shop.policy\nclass Counting(Yesterday):\n"
        "    def decide(self, now, fitted):\n        return [float(fitted)] * now.rows.height\n"
    )
    [track] = tracks(make_project(tmp_path / "shop", source), "counting")
    per_day = track.table.group_by("day", maintain_order=True).first()["stock"].to_list()
    assert per_day == [39.0] * 7 + [60.0] * 7 + [81.0] * 7 + [102.0] * 6


def test_nothing_is_computed_twice(tmp_path):
    """A second replay reads what the first one kept, and gives the same."""
    project = make_project(tmp_path / "shop")
    [first], [again] = tracks(project, "better"), tracks(project, "better")

    assert (first.fits, first.blocks, again.fits, again.blocks) == (4, 4, 0, 4)
    assert again.table.equals(first.table)


CHANGES = {
    "the policy": ("problem.py", "stock=1 * pl.col(\"sold\").mean()", "stock=pl.col(\"sold\").mean() + 1"),
    "a single figure": ("problem.py", "stock=1 * pl.col", "stock=2 * pl.col"),
    "the value": ("problem.py", '- pl.col("stock")', '- 1.5 * pl.col("stock")'),
    "the rows": ("problem.py", "3 * place + day % 7", "3 * place + day % 6"),
    "the seed": ("shipworthy.toml", "[project]", "[research]\nseed = 2\n[project]"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_is_computed_again(tmp_path, what):
    """Another policy, value, row or seed is other work: everything is computed, by the new code, in the same process."""
    file, old, new = CHANGES[what]
    project = make_project(tmp_path / "shop")
    [before] = tracks(project, "better")
    text = (project.root / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (project.root / file).write_text(text.replace(old, new), encoding="utf-8")
    [after] = tracks(type(project)(root=project.root, settings=make_settings(project)), "better")

    assert after.fits == 4
    assert not after.table.drop("seconds").equals(before.table.drop("seconds"))


def make_settings(project):
    """The settings as the file says them now."""
    from shipworthy.project import open_project  # noqa: PLC0415

    return open_project(project.root).settings


def test_state_is_carried_from_period_to_period_for_each_policy_alone(tmp_path):
    """A battery: what was charged is there the hour after, across blocks, and neither policy touches the other's."""
    project = make_project(tmp_path / "battery", BATTERY)
    replayed = replay_of(project)
    cycle, idle, again = (replay(replayed, name, HERE) for name in ("cycle", "idle", "cycle"))

    assert cycle.blocks == 6
    assert cycle.table["flow"].to_list() == [2.0, -4.0, 0.0] + [4.0, -4.0, 0.0] * 17
    assert idle.table["flow"].to_list() == [0.0] * 54
    assert cycle.table["value"].sum() == pytest.approx(-2.0 * 1 + 18 * 20.0 - 17 * 4.0)
    assert (again.fits, idle.fits) == (0, 6)
    assert again.table.equals(cycle.table)
    assert replayed.problem.initial_state == {"cell": {"charge": 2.0}}


def test_state_differs_from_deciding_each_period_by_itself(tmp_path):
    """Without the transition every hour begins with the first charge: the closed loop is not a sum of single hours."""
    without = BATTERY.replace("@shop.transition\n", "")
    [closed] = tracks(make_project(tmp_path / "closed", BATTERY), "cycle")
    [single] = tracks(make_project(tmp_path / "single", without), "cycle")

    assert single.table["flow"].to_list() == [2.0, -2.0, 0.0] * 18
    assert closed.table["value"].sum() > single.table["value"].sum()


def test_a_replay_with_state_goes_on_where_it_stopped(tmp_path):
    """Blocks that were computed before hand on the same state as those computed now."""
    project = make_project(tmp_path / "battery", BATTERY)
    [whole] = tracks(project, "cycle")
    kept = sorted((project.root / ".shipworthy" / "objects" / "cache").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    for path in kept[3:]:
        path.unlink()
    [resumed] = tracks(project, "cycle")

    assert resumed.fits == 3
    assert resumed.table.drop("seconds").equals(whole.table.drop("seconds"))


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        ('{"cell": (1, 2)}', "Give a dictionary of plain numbers"),
        ('{"cell": {1: 2}}', "Give a dictionary of plain numbers"),
        ('{"cell": float("nan")}', "Give a dictionary of plain numbers"),
        ("None", "gave None after 2026-01-01 06:00:00"),
        ('{"cell": FIRST}', "failed after 2026-01-01 06:00:00: TypeError: Object of type date is not JSON"),
        ('state["charge"]', "failed after 2026-01-01 06:00:00: KeyError"),
    ],
)
def test_a_state_that_cannot_be_kept_is_refused_at_once(tmp_path, returned, says):
    """A state that would come back otherwise than it went would make a resumed replay another one."""
    project = make_project(tmp_path / "battery", BATTERY.replace("    return state\n", f"    return {returned}\n"))
    with pytest.raises(UserCodeError, match="The transition of problem 'shop'") as refused:
        tracks(project, "idle")
    assert says in str(refused.value)


@pytest.mark.parametrize("engine", [HERE, THERE])
@pytest.mark.parametrize(
    ("error", "says"),
    [
        ('raise ValueError("Found array with 0 samples")', "ValueError: Found array with 0 samples"),
        ("raise type('Odd', (Exception,), {'__init__': lambda self, a, b: None})(1, 2)", "Odd"),
        ("raise SystemExit('out')", "SystemExit: out"),
    ],
)
def test_a_fit_that_raises_names_policy_period_and_cause(tmp_path, engine, error, says):
    """The project's own mistake is a clear error on every engine, whatever its exception looks like."""
    source = SHOP + f"\n@shop.policy\nclass Failing(Better):\n    def fit(self, past):\n        {error}\n"
    with pytest.raises(UserCodeError) as raised:
        tracks(make_project(tmp_path / "shop", source), "failing", engine=engine)
    assert str(raised.value).startswith("Policy 'failing' could not be fitted at 2026-01-14, on 39 rows: ")
    assert says in str(raised.value)


def test_a_fallback_that_cannot_be_fitted_does_not_end_the_replay(tmp_path):
    """Where policy and fallback both fail, the replay goes on, and says so in each period."""
    source = SHOP.replace("return past.height", 'raise ValueError("no")') + (
        "\n@shop.policy\nclass Raising(sw.Policy):\n    def decide(self, now, fitted):\n        raise ValueError('never')\n"
    )
    [track] = tracks(make_project(tmp_path / "shop", source), "raising")

    assert track.table["rung"].unique().to_list() == ["none"]
    assert track.table["value"].null_count() == track.table.height
    assert "raising: ValueError: never; Policy 'today' could not be fitted at 2026-01-14" in track.table["falls"][0]


def test_the_last_plan_stays_the_last_one_that_there_was(tmp_path):
    """A period in which nothing could be decided does not take the plan away from the period after it."""
    source = SHOP + (
        "\n@shop.constraint\ndef not_on_the_second_day(decided):\n"
        "    return pl.lit(decided['day'][0] != FIRST + timedelta(days=14))\n"
        "\n@shop.policy\nclass Once(Better):\n    def decide(self, now, fitted):\n"
        "        return [1.0, 2.0, 3.0] if now.period == FIRST + timedelta(days=13) else None\n"
    )
    source = source.replace('decision="stock")', 'decision="stock", fallback="once")')
    [track] = tracks(make_project(tmp_path / "shop", source), "once")
    rungs = track.table.group_by("day", maintain_order=True).first()["rung"].to_list()

    assert rungs[:7] == [Rung.POLICY, Rung.NONE] + [Rung.LAST_PLAN] * 5
    assert track.table.filter(rung=Rung.LAST_PLAN)["stock"].unique().sort().to_list() == [1.0, 2.0, 3.0]


def test_falls_are_priced_like_any_decision(tmp_path):
    """What the fallback decided is worth what it is worth."""
    source = SHOP + (
        "\n@shop.policy\nclass Absent(sw.Policy):\n    refit = '7d'\n"
        "    def decide(self, now, fitted):\n        raise ValueError('absent')\n"
    )
    absent, today = tracks(make_project(tmp_path / "shop", source), "absent", "today")

    assert absent.table["rung"].unique().to_list() == ["fallback"]
    assert absent.table["value"].to_list() == today.table["value"].to_list()


@pytest.mark.parametrize(
    ("periods", "of"),
    [
        ("[datetime(2026, 1, 1) + timedelta(minutes=30 * n) for n in range(40)]", pl.Datetime("us")),
        ("[datetime(2026, 1, 1, tzinfo=__import__('datetime').UTC) + timedelta(hours=n) for n in range(40)]",
         pl.Datetime("us", "UTC")),
        ("pl.Series([datetime(2026, 1, 1) + timedelta(hours=n) for n in range(40)], dtype=pl.Datetime('ns'))",
         pl.Datetime("ns")),
        ("pl.Series([datetime(2026, 1, 1) + timedelta(hours=n) for n in range(40)], dtype=pl.Datetime('ms'))",
         pl.Datetime("ms")),
        ("pl.Series(range(40), dtype=pl.Int16)", pl.Int16),
        ("pl.Series(range(40), dtype=pl.UInt32)", pl.UInt32),
        ("[10**12 + n for n in range(40)]", pl.Int64),
    ],
)  # fmt: skip
def test_periods_of_every_kind_come_out_as_they_went_in(tmp_path, periods, of):
    """Times in any precision and zone, and whole numbers in any width, key the track as they key the rows."""
    source = SHOP.replace(
        "frame(made_up_rows)",
        f"frame(pl.DataFrame({{'day': {periods}, 'item': 'ham', 'price': 2.0}}).with_columns(sold=pl.lit(3.0)))",
    ).replace('decision="stock")', 'decision="stock", outcome_delay="0", warm_up="10")')
    source = source.replace('memory = "1d"', 'memory = "1"').replace("class Yesterday", "class Older")
    source = source.replace("(Yesterday)", "(Flat)").replace(
        "shop.policy(champion", "class Flat(sw.Policy):\n    def decide(self, now, fitted):\n"
        "        return [2.0]\n\nshop.policy(champion", 1,
    )  # fmt: skip
    replayed = replay_of(make_project(tmp_path / "shop", source))
    if of.is_temporal():
        replayed.problem.warm_up = None
    [track] = [replay(replayed, "today", HERE)]

    assert track.table.schema["day"] == of
    assert track.table["value"].to_list() == [2.0] * track.table.height
    assert track.table["day"].to_list() == replayed.history.periods[-track.table.height :]


def test_decisions_may_be_words(tmp_path):
    """A policy that decides words is replayed, also through a period in which nothing could be decided."""
    source = SHOP.replace('pl.min_horizontal("stock", "sold") * pl.col("price") - pl.col("stock")', 'pl.lit(1.0)') + (
        "\n@shop.policy\nclass Words(sw.Policy):\n    def decide(self, now, fitted):\n"
        "        return ['up', 'up', 'down'] if now.period > FIRST + timedelta(days=13) else None\n"
    )
    source = source.replace('decision="stock")', 'decision="stock", fallback="words")')
    [track] = tracks(make_project(tmp_path / "shop", source), "words")

    assert track.table["stock"].to_list() == [None] * 3 + ["up", "up", "down"] * 26
    assert track.table["value"].null_count() == 3


@pytest.mark.parametrize("name", ["value", "rung", "seed", "seconds", "gap"])
def test_a_name_that_the_evidence_needs_is_refused_before_anything_runs(tmp_path, name):
    """A decision, a unit or a guardrail cannot have the name of a column of the track."""
    for source in (SHOP.replace('decision="stock"', f'decision="{name}"'), SHOP.replace('unit="item"', f'unit="{name}"')):
        problem = source.replace('{"day": FIRST', f'{{"{name}": place, "day": FIRST')
        with pytest.raises(UserCodeError, match=f"uses {name} for a key, a decision or a guardrail"):
            tracks(make_project(tmp_path / "shop", problem), "today")


def test_a_guardrail_with_the_name_of_a_decision_is_refused(tmp_path):
    """One of the two would silently take the other's place."""
    source = SHOP + "\n@shop.guardrail(margin=0.1)\ndef stock(happened):\n    return pl.col('sold')\n"
    with pytest.raises(UserCodeError, match="uses stock for a key, a decision or a guardrail"):
        tracks(make_project(tmp_path / "shop", source), "today")


@pytest.mark.parametrize(("warm_up", "first"), [(None, 3), ("0d", 0), ("4d", 4), ("90h", 4)])
def test_the_replay_begins_after_the_warm_up_or_a_third(warm_up, first):
    """The first period that is replayed follows from the declaration."""
    replayed = Replayed(10, warm_up=warm_up)
    assert first_replayed(replayed.problem, replayed.history) == replayed.history.periods[first]


@pytest.mark.parametrize(("days", "warm_up"), [(10, "10d"), (0, None), (0, "1d")])
def test_a_warm_up_that_leaves_nothing_is_refused(days, warm_up):
    """The message says how many periods there are and what to change."""
    replayed = Replayed(days, warm_up=warm_up)
    with pytest.raises(InvalidInputError, match=f"Nothing is left to replay: {days} periods"):
        first_replayed(replayed.problem, replayed.history)


class Replayed:
    """A problem in memory with its history."""

    def __init__(self, days, **changes):
        rows = sales(days) if days else sales(1).clear()
        self.problem: Problem = shop(rows, **changes)
        self.history = __import__("shipworthy.step", fromlist=["History"]).History(self.problem, rows)


SLOW = SHOP.replace(
    "return past.height",
    "__import__('time').sleep(0.15)\n        return past.height",
).replace('refit = "7d"', 'refit = "3d"')

WALK = (
    "import sys; from pathlib import Path; import shipworthy as sw\n"
    "if __name__ == '__main__':\n"
    "    found = sw.research_idea(sw.open_project(Path(sys.argv[1])), 1)\n"
    "    print(found.fits, found.blocks, found.evidence)\n"
)


def walk(folder, workers):
    """Research as a process of its own, with the wished workers."""
    config = folder / "shipworthy.toml"
    text = config.read_text(encoding="utf-8").split("[research]")[0]
    config.write_text(f"{text}[research]\nworkers = {workers}\n", encoding="utf-8")
    script = folder.parent / "walk.py"
    script.write_text(WALK, encoding="utf-8")
    return subprocess.Popen([sys.executable, str(script), str(folder)], stdout=subprocess.PIPE, text=True)


def examined(folder):
    """A slow project whose data were examined; the champion's blocks are forgotten again."""
    from shipworthy.data.examine import examine_data  # noqa: PLC0415

    project = make_project(folder, SLOW)
    examine_data(project, 1)
    project.records.close()
    for path in blocks_of(folder):
        path.unlink()


def blocks_of(folder):
    """What was finished and kept."""
    return list((folder / ".shipworthy" / "objects" / "cache").glob("*.parquet"))


def wait_for(holds, seconds=60.0):
    """Waits until something holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to hold"
        time.sleep(0.02)


def children_of(pid):
    """The processes that a process started, by number."""
    found = []
    for stat in __import__("pathlib").Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def is_running(pid):
    """Whether a process is there and no zombie."""
    try:
        stat = __import__("pathlib").Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_replay_goes_on_where_it_was_and_ends_as_if_nothing_had_been(tmp_path, workers):
    """kill -9 in the middle: no finished block is computed again, no worker stays, the evidence is the same."""
    examined(tmp_path / "killed")
    killed = walk(tmp_path / "killed", workers)
    wait_for(lambda: len(blocks_of(tmp_path / "killed")) >= 3)
    started = children_of(killed.pid)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    wait_for(lambda: not any(map(is_running, started)))
    kept = {path.name for path in blocks_of(tmp_path / "killed")}

    again = walk(tmp_path / "killed", workers)
    fits, blocks, evidence = again.communicate(timeout=120)[0].split()
    assert int(fits) == int(blocks) - len(kept) > 0
    assert kept < {path.name for path in blocks_of(tmp_path / "killed")}

    quiet = make_project(tmp_path / "quiet", SLOW.replace("sleep(0.15)", "sleep(0)"))
    whole = pair(replay_of(quiet).problem, *tracks(quiet, "today", "better"))
    stored = pl.read_parquet(tmp_path / "killed" / ".shipworthy" / "objects" / evidence)
    assert stored.equals(whole)


def test_an_engine_ends_with_the_first_error_and_leaves_nothing_running():
    """The exception is the task's own, and no process of the engine stays."""
    before = set(children_of(os.getpid()))
    with pytest.raises(ValueError, match="could not convert"):
        THERE.run(float, ["1", "two", "3"], lambda done, of: None)
    assert not [pid for pid in set(children_of(os.getpid())) - before if "spawn_main" in _command(pid)]


def _command(pid):
    return __import__("pathlib").Path(f"/proc/{pid}/cmdline").read_text()


def test_an_engine_gives_results_in_the_order_of_the_tasks_and_tells_of_each():
    """The slowest first does not change the order, and progress ends at all of them."""
    told = []
    assert THERE.run(abs, [-3, 2, -1], lambda done, of: told.append((done, of))) == [3, 2, 1]
    assert told[-1] == (3, 3)
    assert HERE.run(abs, [], lambda done, of: None) == []
