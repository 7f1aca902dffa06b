"""A snapshot: an immutable copy of the rows, named by its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
from polars import selectors

from shipworthy.data.contract import Contract, find_contract
from shipworthy.data.quarantine import broken_rows
from shipworthy.errors import ShipworthyError, UserCodeError
from shipworthy.problem import Problem
from shipworthy.project import Project
from shipworthy.store.frames import get_frame, put_frame

_FOLDER = "snapshots"
_QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The rows that keep the contract, and those that do not.

    Attributes:
        address: The object that holds the good rows.
        rows: The good rows, sorted by period and unit.
        n_read: How many rows there were before they were parted.
        quarantined: The rows set apart, with their reasons.
        broken: How many rows break each rule, by its reason.
        quarantine: The object that holds them; None where there is none.
        contract: The contract that they were held against; None where the problem has none.
    """

    address: str
    rows: pl.DataFrame
    n_read: int
    quarantined: pl.DataFrame
    broken: Mapping[str, int]
    quarantine: str | None
    contract: Contract | None


def load_rows(project: Project, problem: Problem) -> pl.DataFrame:
    """The rows as the problem's source gives them now.

    Raises:
        UserCodeError: reading or preparing them raised.
    """
    try:
        return problem.rows.load(project.root)
    except ShipworthyError:
        raise
    except Exception as error:  # a preparation is the user's own code
        raise UserCodeError(
            f"The rows of problem {problem.name!r} ({problem.rows.label}) could not be read: {type(error).__name__}: {error}"
        ) from error


def take_snapshot(project: Project, problem: Problem) -> Snapshot:
    """Reads the rows, sets apart those that break the contract, and keeps both by their content.

    Raises:
        InvalidInputError: the rows, or the contract, cannot be used.
        UserCodeError: reading or preparing the rows raised.
    """
    contract = find_contract(project, problem.name)
    read = load_rows(project, problem)
    good, bad, broken = broken_rows(problem, read, contract)
    rows = good.sort(problem.row_key).with_columns(selectors.float().fill_nan(None))  # live, JSON knows null and no NaN
    return Snapshot(
        address=put_frame(project.objects, _FOLDER, rows),
        rows=rows,
        n_read=read.height,
        quarantined=bad,
        broken=broken,
        quarantine=put_frame(project.objects, _QUARANTINE, bad) if bad.height else None,
        contract=contract,
    )


def open_snapshot(project: Project, address: str) -> pl.DataFrame:
    """The rows of a snapshot, checked against its name."""
    return get_frame(project.objects, address)
