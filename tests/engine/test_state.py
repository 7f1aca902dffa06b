"""State: carried from period to period for each policy alone, the same whether it was computed now or before."""

import pytest

from shipworthy.engine import replay
from shipworthy.errors import UserCodeError
from tests.problems import HEADER, HERE, make_project, replay_of, tracks

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
    kept = sorted(
        (project.root / ".shipworthy" / "objects" / "cache").iterdir(), key=lambda path: path.stat().st_mtime_ns
    )
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
