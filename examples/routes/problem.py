"""A distributor's vans: which of them visits which customer tomorrow, and in which order.

In the evening it is known who ordered, and not how much he will take at the door. A van that runs out of crates has to
drive to the depot and back.
"""

from collections.abc import Mapping

import planning
import polars as pl
import town
import vans

import shipworthy as sw


def vans_of_a_day(name: str) -> sw.Problem:
    """The same decision, value, constraints and guardrail; who decides today is declared below."""
    problem = sw.Problem(
        name,
        rows=sw.frame(town.orders).then(town.with_what_was_usual),
        period="day",
        unit="customer",
        outcome="crates",
        decision=("van", "stop"),
        outcome_delay="1d",
        warm_up="90d",
        currency="EUR",
        counterfactual=True,
        assumptions=vans.PRICES,
    )
    problem.value(money)
    for rule in (known_vans, stops_in_order, not_overloaded):
        problem.constraint(rule)
    problem.guardrail(margin=0.01, better="lower")(not_reached)
    return problem


def money(happened: pl.DataFrame, assumed: Mapping[str, float]) -> pl.Series:
    """What the day's driving cost; sales are the same whoever brings the crates."""
    return -vans.cost(happened, assumed)["eur"]


def known_vans(decided: pl.DataFrame) -> pl.Expr:
    return pl.col("van").is_between(1, vans.VANS)


def stops_in_order(decided: pl.DataFrame) -> pl.Expr:
    """The stops of each van are 1, 2, 3, ... up to their number."""
    return pl.col("stop").rank("ordinal").over("van") == pl.col("stop")


def not_overloaded(decided: pl.DataFrame) -> pl.Expr:
    """By what its customers usually take, no van is planned for more than a quarter above what it can carry."""
    return pl.col("usual").sum().over("van") <= vans.OVERLOAD * vans.CRATES


def not_reached(happened: pl.DataFrame) -> pl.Series:
    """The share of customers who went without may rise by one in a hundred."""
    return ~vans.cost(happened)["reached"]


class AroundTheClock(sw.Policy):
    """What the drivers always did."""

    def decide(self, now: sw.Now, fitted: None) -> pl.DataFrame:
        return planning.decisions(now, planning.around_the_clock(now))


def short_search() -> sw.Policy:
    return planning.forecast_and_pyvrp(iterations=10)


def long_search() -> sw.Policy:
    return planning.forecast_and_pyvrp(iterations=20)


routes = vans_of_a_day("routes")
routes.policy(champion=True)(AroundTheClock)
routes.policy(short_search)

search = vans_of_a_day("search")  # once the first idea has shipped, it is what the second has to beat
search.policy(champion=True)(short_search)
search.policy(long_search)
