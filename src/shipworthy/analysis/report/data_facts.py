"""What the Data stage found, by name: the same facts on the page about the data and in the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipworthy.analysis.money import MINUS
from shipworthy.data.contract_file import CONTRACTS_FOLDER
from shipworthy.data.examine import DataAnswer
from shipworthy.data.leakage import NO_LEAKS, NOT_COVERED
from shipworthy.data.provable import power_facts
from shipworthy.problem import Problem

_MOST_DRIFTS = 5
Facts = list[tuple[str, str]]


def rows(answer: DataAnswer) -> Facts:
    """What the rows cover."""
    covered = answer.profile
    return [
        ("Rows", f"{covered['n_rows']:,} of {covered['n_units']:,} units in {covered['n_periods']:,} periods"),
        ("Periods", f"{covered['first']} to {covered['last']}"),
        ("Missing periods", f"{covered['missing_periods']:,}"),
        ("Missing units of a period", f"{covered['missing_units']:,}"),
        ("Rows without an outcome", f"{covered['open_outcomes']:,}"),
        ("Exact copies", f"{covered['n_copies']:,}"),
        ("Columns without any value", ", ".join(covered["empty_columns"]) or "none"),
    ]


def power(answer: DataAnswer, currency: str = "") -> Facts:
    """What the history can show; none where that was not asked any more."""
    return list(power_facts(answer.provable, currency).items()) if answer.provable else []


def leaks(answer: DataAnswer) -> Facts:
    """What the proof that nothing leaks found, and what it cannot see; none where it was not asked."""
    if answer.leaks:
        return [fact for leak in answer.leaks for fact in _leak(leak)]
    if not (answer.is_testable or answer.provable):
        return []
    return [("Leaks", NO_LEAKS), ("Not covered", NOT_COVERED.removeprefix("not covered: "))]


def contract(answer: DataAnswer, problem: Problem) -> Facts:
    """What the rows were held against."""
    file = f"{CONTRACTS_FOLDER}/{problem.name}.toml, {answer.contract}" if answer.contract else "the problem has none"
    apart = f"{answer.profile['n_quarantined']:,}"
    return [
        ("Contract", file),
        ("Rows set apart", f"{apart}, kept as {answer.quarantine}" if answer.quarantine else apart),
    ]


def broken(answer: DataAnswer) -> list[tuple[str, int]]:
    """How many rows break each rule, the commonest first."""
    return sorted(answer.broken.items(), key=lambda counted: (-counted[1], counted[0]))


def drifts(answer: DataAnswer) -> list[tuple[str, str, str]]:
    """The columns whose last third of the periods differs most from the first: name, role and by how much."""
    moved = [column for column in answer.profile["columns"] if column["drift"] is not None]
    most = sorted(moved, key=lambda column: -abs(column["drift"]))[:_MOST_DRIFTS]
    return [(column["name"], column["role"], _drift(column)) for column in most]


def _drift(column: Mapping[str, Any]) -> str:
    """Of text the share that changed, of numbers by how many standard deviations."""
    drift = column["drift"]
    return f"{drift:.0%}" if column["kind"] == "text" else f"{drift:+.1f} sd".replace("-", MINUS)


def _leak(leak: Mapping[str, Any]) -> Facts:
    facts = [
        ("Found", leak["why"]),
        ("Shows in", ", ".join(leak["columns"])),
        ("Comes from", ", ".join(leak["sources"]) if leak["sources"] != leak["columns"] else ""),
        ("First seen at", leak["period"]),
    ]
    return [(name, fact) for name, fact in facts if fact]
