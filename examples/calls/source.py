"""Where the contacts lie: they are not ours to ship, so the folder is yours to name."""

import os
from pathlib import Path

import polars as pl

from shipworthy.errors import NotFoundError

HERE = Path(__file__).resolve().parent
SOURCE = "UCI 'Bank Marketing', bank-additional-full.csv (Moro, Cortez, Rita, Decision Support Systems 2014)"


def contacts() -> pl.DataFrame:
    """The raw table: one row a contact, in order of time.

    It is read when rows are asked for, not when the module is imported: a release decides without it.
    """
    folder = os.environ.get("SHIPWORTHY_DATA") or HERE / "../../../shared/data"
    file = (Path(folder) / "bank_marketing" / "contacts.parquet").resolve()
    if not file.is_file():
        raise NotFoundError(
            f"There is no {file}. It comes from {SOURCE}; README.md says how to prepare it. Then name the folder "
            "above bank_marketing: export SHIPWORTHY_DATA=/path/to/data"
        )
    return pl.read_parquet(file)
