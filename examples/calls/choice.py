"""Whom to call within the budget, given each contact's chance of a subscription."""

import numpy as np
import polars as pl

import shipworthy as sw

WORTH = 90.0  # EUR a subscription brings in
SHARE = 0.3  # of what calling everybody would cost


def within_budget(now: sw.Now, chance: np.ndarray) -> pl.DataFrame:
    """Calls those who bring in most for each euro of their call, as long as they bring in more than it and money is left.

    A knapsack of thousands of small things: filled in this order it loses less than one call's gain against the best.
    """
    cost = now.rows["cost"].to_numpy()
    gain = WORTH * chance - cost
    order = np.argsort(-gain / cost, kind="stable")
    order = order[gain[order] > 0]
    called = order[np.cumsum(cost[order]) <= SHARE * cost.sum()]
    call = np.zeros(len(cost), dtype=np.int64)
    call[called] = 1
    return pl.DataFrame({"seq": now.rows["seq"], "call": call})
