"""What each customer is offered: policies that decide row by row, and solvers that go wrong in every way there is."""

import time

import polars as pl

import shipworthy as sw


def rows() -> pl.DataFrame:
    """Three days of twenty customers."""
    return pl.DataFrame(
        [
            {"day": day, "customer": customer, "wish": customer / 2, "taken": customer + day % 2}
            for day in range(1, 4)
            for customer in range(20)
        ]
    )


offers = sw.Problem("offers", rows=sw.frame(rows), period="day", unit="customer", outcome="taken", decision="offer")


@offers.value
def profit(happened: pl.DataFrame) -> pl.Expr:
    """Money for what was taken, less what the offer costs."""
    return pl.col("taken") - pl.col("offer") / 1_000_000


@offers.constraint
def one_caller_gets_so_much(decided: pl.DataFrame) -> pl.Expr:
    """Holds of one request or two, not of many together."""
    return pl.col("offer").sum() < 100_000_000


@offers.constraint
def not_too_high(decided: pl.DataFrame) -> pl.Expr:
    return pl.col("offer") < 60_000_000


def own(now: sw.Now, times: int) -> pl.Series:
    """A number that tells whose it is."""
    return now.rows["wish"] * times + now.rows["customer"] * 10


@offers.policy(champion=True)
class Plain(sw.Policy):
    """Twice the wish, told apart by customer."""

    row_wise = True

    def decide(self, now: sw.Now, fitted: None) -> pl.Series:
        return own(now, 2)


@offers.policy
class Picky(sw.Policy):
    """Three times the wish; a wish below zero is too much for it, whoever else asks at the same time."""

    row_wise = True

    def decide(self, now: sw.Now, fitted: None) -> pl.Series:
        if (now.rows["wish"] < 0).any():
            raise ValueError("a wish below zero")
        return own(now, 3)


@offers.policy
class Hangs(sw.Policy):
    """Never comes back."""

    row_wise = True
    time_limit = 0.5

    def decide(self, now: sw.Now, fitted: None) -> pl.Series:
        while True:
            time.sleep(1)


@offers.policy
class Raises(sw.Policy):
    """Has no idea."""

    row_wise = True

    def decide(self, now: sw.Now, fitted: None) -> pl.Series:
        raise ArithmeticError("no idea")


@offers.policy
class Panics(sw.Policy):
    """Fails in native code, which raises no `Exception`."""

    row_wise = True

    def decide(self, now: sw.Now, fitted: None) -> pl.Series:
        raise pl.exceptions.PanicException("out of bounds")


@offers.policy
class Infeasible(sw.Policy):
    """A solver that proves that there is nothing."""

    row_wise = True

    def decide(self, now: sw.Now, fitted: None) -> sw.Plan:
        return sw.Plan(decisions=None, status=sw.Status.INFEASIBLE)


@offers.policy
class Violates(sw.Policy):
    """Decides what is not allowed."""

    row_wise = True

    def decide(self, now: sw.Now, fitted: None) -> pl.Series:
        return own(now, 2) + 70_000_000
