"""Evidence from elsewhere: a file of paired rows, whoever wrote it, as the table that the verdict judges."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from shipworthy.errors import InvalidInputError, NotFoundError, UnavailableError
from shipworthy.sources.texts import with_dates, with_written_dates

_PARQUET = b"PAR1"
_JSON = (".json", ".jsonl", ".ndjson")
_SEPARATORS = ",;\t|"
_DECIMAL_COMMA = re.compile(r"(^|;)-?\d+,\d+(;|$)", re.MULTILINE)
_LOOKED_AT = 65_536
_SIDES = ("champion", "challenger")
_NAMES: Mapping[str, tuple[str, ...]] = {
    "period": ("period", "date", "day", "timestamp", "time", "week", "month"),
    "unit": (
        "unit",
        "entity",
        "shop",
        "store",
        "item",
        "product",
        "sku",
        "customer",
        "user",
        "dish",
        "site",
        "unit_id",
    ),
    "champion": ("champion", "control", "baseline", "a"),
    "challenger": ("challenger", "treatment", "b"),
}
_ONE_UNIT = "all"
_AGAIN = "_duplicated_0"  # what Polars adds to a name of a CSV file that was there before


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EvidenceFile:
    """A file that was read.

    Attributes:
        path: Where it lies.
        frame: Columns period, unit, value_champion, value_challenger, and those of the guardrails.
        columns: What each of the first four is called in the file; the unit is missing where there is one unit alone.
        notes: What was taken for what, where nobody had said it.
    """

    path: Path
    frame: pl.DataFrame
    columns: Mapping[str, str]
    notes: tuple[str, ...]


def read_evidence(path: Path, named: Mapping[str, str], guardrails: Sequence[str] = ()) -> EvidenceFile:
    """Reads paired rows from Parquet, CSV (packed with gzip too) or JSON lines.

    Args:
        path: The file.
        named: What the columns period, unit, champion and challenger are called, where they have names of their own.
        guardrails: Guardrails whose columns, `<name>_champion` and `<name>_challenger`, are needed as well.

    Raises:
        InvalidInputError: It is no such file, is empty, lacks a column, or leaves open which column is which.
        NotFoundError: There is no such file.
        UnavailableError: It cannot be read.
    """
    try:
        table = _opened(path)
        present = table.collect_schema().names()
        columns, guessed = _columns(path, present, named, guardrails)
        rails = [f"{name}_{side}" for name in guardrails for side in _SIDES]
        unit = pl.col(columns["unit"]) if "unit" in columns else pl.lit(_ONE_UNIT)
        values = [pl.col(columns[side]).alias(f"value_{side}") for side in _SIDES]
        chosen = [pl.col(columns["period"]).alias("period"), unit.alias("unit"), *values, *rails]
        frame = table.select(chosen).collect()
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise UnavailableError(f"{path} cannot be read: {error.strerror}.") from error
        raise InvalidInputError(
            f"{path} is no CSV, Parquet or JSON lines file that can be read: {_first_line(error)} {_cure(error)}"
        ) from error
    dated = with_dates(with_written_dates(frame.select("period")))
    unknown = [
        name for name in frame.columns[2:] if frame[name].null_count() == frame.height
    ]  # a CSV file calls them texts
    frame = frame.with_columns(pl.col(unknown).cast(pl.Float64))
    return EvidenceFile(path=path, frame=frame.with_columns(dated), columns=columns, notes=guessed)


def _opened(path: Path) -> pl.LazyFrame:
    """The file as a table that is read where it is needed."""
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder. Name one file with evidence in it.")
    if not path.exists():
        beside = sorted(other.name for other in path.parent.glob("*") if other.is_file())[:20]
        raise NotFoundError.among("file", str(path), beside)
    with path.open("rb") as file:
        head = file.read(len(_PARQUET))
    if not head:
        raise InvalidInputError(f"{path} is empty. Write the evidence again: one row for each period and unit.")
    if head == _PARQUET:
        return pl.scan_parquet(path, glob=False)
    if path.suffix.lower() == ".parquet":
        raise InvalidInputError(f"{path} is called Parquet and is none. Write it again, or name it by what it is.")
    if path.suffix.lower() in _JSON:
        return pl.scan_ndjson(path, infer_schema_length=None)
    separator, has_comma = _written(path)
    return pl.scan_csv(path, glob=False, separator=separator, decimal_comma=has_comma, infer_schema_length=None)


def _written(path: Path) -> tuple[str, bool]:
    """What parts the columns of a CSV file, going by its header, and whether its numbers have a decimal comma."""
    lines = pl.read_csv(
        path, has_header=False, separator="\n", quote_char=None, n_rows=100, infer_schema=False, glob=False
    )
    header, *rows = lines.to_series().drop_nulls().to_list() or [""]
    separator = max(_SEPARATORS, key=header.count)
    return separator, separator == ";" and bool(_DECIMAL_COMMA.search("\n".join(rows)))


def _columns(
    path: Path, present: Sequence[str], named: Mapping[str, str], guardrails: Sequence[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Which column is which, and what was guessed."""
    rails = {f"{name}_{side}" for name in guardrails for side in _SIDES}
    lacking = sorted((rails | set(named.values())) - set(present))
    if lacking:
        asked = f"{path} has no column {', '.join(lacking)}. There is: {', '.join(present)}."
        raise InvalidInputError(f"{asked} Correct the option that names it, or add the column.")
    columns = dict(named)
    guessed = []
    for role in (role for role in _NAMES if role not in named):
        exact = role if role in ("period", "unit") else f"value_{role}"
        found = (
            [exact] if exact in present else _called(role, [name for name in present if name not in columns.values()])
        )
        if len(found) == 1:
            columns[role] = found[0]
            guessed += [f"{found[0]} for the {role}"] if found[0] != exact else []
        elif role != "unit" or found or len(present) > len(_NAMES) - 1 + len(rails):
            raise InvalidInputError(_open(path, role, exact, found, present))
    twice = [name for name in columns.values() if f"{name}{_AGAIN}" in present]
    if twice:
        raise InvalidInputError(f"{path} has several columns {twice[0]}. Rename all of them but one.")
    if len(set(columns.values())) < len(columns):
        raise InvalidInputError(f"One column of {path} is named twice: {columns}. Name another one for each.")
    if "unit" not in columns:
        guessed.append("all rows for one unit")
    return columns, (f"Taken: {', '.join(guessed)}.",) if guessed else ()


def _called(role: str, present: Sequence[str]) -> list[str]:
    """The columns whose names say that they are it."""
    names = set(_NAMES[role])
    if role in _SIDES:
        names |= {f"value_{name}" for name in names} | {f"{name}_value" for name in names}
    return [name for name in present if re.sub(r"[\s-]+", "_", name.strip().lower()) in names]


def _open(path: Path, role: str, exact: str, found: Sequence[str], present: Sequence[str]) -> str:
    why = f"may have its {role} in {' or '.join(found)}" if found else f"has no column {exact}"
    others = ", ".join(name for name in _NAMES[role] if name != exact)
    return (
        f"{path} {why} (nor {others}). There is: {', '.join(present)}. Type --{role} COLUMN."
        if not found
        else (f"{path} {why}. There is: {', '.join(present)}. Type --{role} COLUMN.")
    )


def _cure(error: BaseException) -> str:
    """What to do about the faults that spreadsheets and programs commonly make."""
    if "utf-8" in str(error):
        return "Save it as UTF-8."
    if "JSON object" in str(error):
        return "Write one JSON object a line, without brackets around them all."
    return "Write it again."


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return text if text.endswith(".") else f"{text}."
