"""A table is decided as the service would: the same answers in the same log, the second time as the first."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shipworthy.live.batch import decide_table
from shipworthy.log import read_decisions
from shipworthy.ship.rollout import Phase
from tests.cli.typed import typed
from tests.live.stall import Server, Stall, stall_rows

DAYS = ("2026-01-31", "2026-02-01")


def _rows(*days: str) -> pl.DataFrame:
    return pl.DataFrame([{"day": day, **row} for day in days for row in stall_rows()])


@pytest.fixture
def file(stall: Stall) -> Path:
    """The rows of two days, for a stall of which one policy serves and another one is in canary for every period."""
    stall.move("mean_of_three_days", "one_more", phase=Phase.CANARY, share=1.0)
    path = stall.project.root / "rows.csv"
    _rows(*reversed(DAYS)).write_csv(path)
    return path


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_a_table_is_decided_as_the_service_would(
    stall: Stall, serve: Callable[..., Server], file: Path, ending: str
) -> None:
    """Both days have the decisions, the arm and the release that the service answers with, and stand in its log."""
    out = stall.project.root / f"plan.{ending}"
    said = typed(stall.project.root, "decide", "--rows", file, "--out", out, "--json")
    assert said.code == 0
    assert [document["period"] for document in said.json] == list(DAYS)
    server = serve(workers=1)
    for document in said.json:
        answer = server.decide(period=document["period"]).body
        for name in ("arm", "release", "rung", "decisions"):
            assert document[name] == answer[name]
    read: Any = {"csv": pl.read_csv, "parquet": pl.read_parquet, "jsonl": pl.read_ndjson}[ending]
    plan = read(out)
    assert plan.select("fruit", "laid_in").to_dicts() == [
        row for document in said.json for row in document["decisions"]
    ]
    assert set(plan["arm"]) == {"challenger"}
    logged = {entry["id"] for entry in read_decisions(stall.project, "stock")}
    assert set(plan["id"]) <= logged


def test_the_same_rows_again_give_the_same_decisions(stall: Stall, file: Path) -> None:
    """A job that runs again, rows in another order and with another release, decides nothing anew; other rows it does."""
    first = typed(stall.project.root, "decide", "--rows", file, "--json").json
    stall.move("slow")
    _rows(*DAYS).reverse().write_csv(file)
    again = typed(stall.project.root, "decide", "--rows", file, "--json").json
    assert again == [{**document, "repeated": True} for document in first]
    assert len(list(read_decisions(stall.project, "stock"))) == 2
    _rows(*DAYS).with_columns(price=pl.lit(9.0)).write_csv(file)
    others = typed(stall.project.root, "decide", "--rows", file, "--json").json
    assert [document["repeated"] for document in others] == [False, False]


def test_two_jobs_at_once_decide_once(stall: Stall, file: Path) -> None:
    """Started by two schedulers at the same moment, the period is decided once, and both get that decision."""
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: decide_table(stall.project, "stock", _rows(DAYS[0])), range(2)))
    assert both[0][0].document == both[1][0].document
    assert len(list(read_decisions(stall.project, "stock"))) == 1


def test_rows_that_break_the_contract_are_named(stall: Stall, file: Path) -> None:
    """The period, the field, what is wrong and the row itself are told, and nothing is logged."""
    _rows(DAYS[0]).with_columns(price=pl.when(pl.col("fruit") == "fig").then(-1.0).otherwise("price")).write_csv(file)
    said = typed(stall.project.root, "decide", "--rows", file)
    assert said.code == 2
    assert "Period 2026-01-31: rows[1].price is outside 0 to 100" in said.err
    assert '"fruit": "fig"' in said.err
    assert list(read_decisions(stall.project, "stock")) == []
    _rows(DAYS[0]).drop("price").write_csv(file)
    assert "need the column price" in typed(stall.project.root, "decide", "--rows", file).err


def test_a_fall_is_told(stall: Stall) -> None:
    """Where the fallback had to decide, it is said; asked for strictness, the exit code says so too, and the plan is there."""
    stall.move("broken")
    path = stall.project.root / "rows.json"
    path.write_text(json.dumps([{"day": DAYS[0], **row} for row in stall_rows(is_market=True)]))
    said = typed(stall.project.root, "decide", "--rows", path, "--out", "plan.csv")
    assert (said.code, "did not decide itself in: 2026-01-31" in said.err) == (0, True)
    assert typed(stall.project.root, "decide", "--rows", path, "--strict").code == 4
    assert "fallback" in (stall.project.root / "plan.csv").read_text()


def test_the_own_source_can_be_decided(stall: Stall) -> None:
    """A period of the problem's own rows is decided without its outcomes; one that is not there is refused."""
    stall.move("mean_of_three_days")
    said = typed(stall.project.root, "decide", "--from-source", "2026-01-30", "--json")
    assert [len(document["decisions"]) for document in said.json] == [3]
    [entry] = read_decisions(stall.project, "stock")
    assert "sold" not in entry["rows"][0]
    missing = typed(stall.project.root, "decide", "--from-source", "2027-01-30")
    assert (missing.code, "The last one is 2026-01-30" in missing.err) == (3, True)
