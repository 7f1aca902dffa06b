"""Where the prices lie: they are not ours to ship, so the folder is yours to name."""

import os
from pathlib import Path

import polars as pl

from shipworthy.errors import NotFoundError

HERE = Path(__file__).resolve().parent
SOURCE = "the Nord Pool set of the open benchmark by Lago et al. (Applied Energy 293, 2021), Zenodo record 4624805"


def hourly() -> pl.DataFrame:
    """The raw table: one row an hour, with its price and the forecasts of load and wind for it.

    It is read when rows are asked for, not when the module is imported: a release decides without it.
    """
    folder = os.environ.get("SHIPWORTHY_DATA") or HERE / "../../../shared/data"
    file = (Path(folder) / "nordpool_battery" / "hourly.parquet").resolve()
    if not file.is_file():
        raise NotFoundError(
            f"There is no {file}. It comes from {SOURCE}; README.md says how to prepare it. Then name the folder "
            "above nordpool_battery: export SHIPWORTHY_DATA=/path/to/data"
        )
    return pl.read_parquet(file)
