"""The first draft of a contract: what holds of the rows as they are now, to be edited and reviewed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from pathlib import Path
from typing import Any

import polars as pl

from shipworthy.data.contract import Bound, Expected, Kind, parse_contract
from shipworthy.data.contract_file import contract_path
from shipworthy.data.guard import without_nan
from shipworthy.data.quarantine import broken_rows
from shipworthy.data.snapshot import load_rows
from shipworthy.errors import AlreadyExistsError, UnavailableError
from shipworthy.problem import Problem
from shipworthy.project import Project

_MOST_VALUES = 20
_FEWEST_OF_A_VALUE = 5
_DIGITS = 700  # from the least to the greatest number of 64 bits
_IDENTIFIER = re.compile(r"(^|_)(id|uuid|guid|key|nr|phone|email)$", re.IGNORECASE)
_BARE = re.compile(r"[A-Za-z0-9_-]+")

_HEAD = """\
# What every row of {problem} must satisfy: drafted from {n:,} rows, to be edited and reviewed.
# Rows that do not are set apart with a reason each; a request to the service that does not is refused.
# Bounds and lists are what these rows have: leave room for what may come. A column without an entry is not checked.

# freshness = "2d"   # how old the newest outcome may be when `shipworthy data` runs

[columns]
"""

_TAIL = """
[rules]   # SQL over the columns of one row; what it leaves unknown is good
# closed_days_sell_nothing = "is_closed = 0 OR demand = 0"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A contract's first draft.

    Attributes:
        text: What its file says.
        columns: What is expected of each column that has an entry.
        left_out: The columns for which there is no type in a contract, each with the type that it has.
    """

    text: str
    columns: Mapping[str, Expected]
    left_out: Mapping[str, str]


def write_draft(project: Project, problem: Problem) -> tuple[Path, Draft]:
    """Drafts a contract from the rows as they are now, and writes its file.

    Raises:
        AlreadyExistsError: the problem has a contract.
        InvalidInputError: the rows cannot be used at all.
        UnavailableError: the file cannot be written; then there is none.
    """
    path = contract_path(project, problem.name)
    taken = AlreadyExistsError(
        f"{path.relative_to(project.root)} is there already, and nothing was written. Edit it, or move it away and draft "
        "anew; `shipworthy data --diff-contract OLD` then compares both."
    )
    if path.exists():
        raise taken
    draft = draft_contract(problem, load_rows(project, problem))
    path.parent.mkdir(exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(draft.text)
    except FileExistsError:
        raise taken from None
    except OSError as error:
        path.unlink(missing_ok=True)  # half a contract would be taken for a whole one
        raise UnavailableError(
            f"{path} cannot be written: {error.strerror}. Check that the folder may be written and that the disk has room."
        ) from error
    return path, draft


def draft_contract(problem: Problem, rows: pl.DataFrame) -> Draft:
    """Drafts a contract that these rows keep, except those that break a rule which holds without any contract.

    Numbers are bounded by their range, rounded outwards to the leading digit of its width; dates only from below, since time
    goes on. A text with few values that come again and again is bound to them. What looks like an identifier, by its name
    or because its values hardly ever come again, is bound to its type alone.

    Raises:
        InvalidInputError: the rows cannot be used at all.
    """
    good = without_nan(broken_rows(problem, rows).good)
    columns = {name: expected for name in good.columns if (expected := _expected(problem, good[name])) is not None}
    left_out = {name: str(dtype) for name, dtype in good.schema.items() if name not in columns}
    entries = [f"{_key(name).ljust(_widest(columns))} = {_entry(expected)}" for name, expected in columns.items()]
    remarks = [f"# not in the contract: {json.dumps(name)}, a {dtype}" for name, dtype in left_out.items()]
    text = _HEAD.format(problem=problem.name, n=good.height) + "".join(f"{line}\n" for line in [*entries, *remarks])
    text += _TAIL
    parse_contract(text.encode(), "the draft")  # proves that what is written can be read
    return Draft(text=text, columns=columns, left_out=left_out)


def _expected(problem: Problem, column: pl.Series) -> Expected | None:
    kind = _kind(column.dtype)
    if kind is None:
        return None
    required = column.null_count() == 0 and len(column) > 0 and column.name not in problem.hidden
    if column.name == problem.period or _looks_like_identifier(problem, column, kind):
        return Expected(type=kind, required=required)
    least, most = _bounds(column, kind)
    return Expected(type=kind, required=required, min=least, max=most, one_of=_values(column, kind))


def _kind(dtype: pl.DataType) -> Kind | None:
    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric():
        return "number"
    kinds: list[tuple[type[pl.DataType], Kind]] = [
        (pl.String, "text"),
        (pl.Categorical, "text"),
        (pl.Enum, "text"),
        (pl.Boolean, "boolean"),
        (pl.Date, "date"),
        (pl.Datetime, "datetime"),
    ]
    return next((kind for known, kind in kinds if dtype == known), None)


def _looks_like_identifier(problem: Problem, column: pl.Series, kind: Kind) -> bool:
    return bool(_IDENTIFIER.search(column.name)) or (column.name == problem.unit and kind != "text")


def _values(column: pl.Series, kind: Kind) -> tuple[str, ...]:
    if kind != "text":
        return ()
    values = column.drop_nulls().cast(pl.String)
    distinct = values.unique().sort().to_list()
    few = 0 < len(distinct) <= _MOST_VALUES and len(values) >= _FEWEST_OF_A_VALUE * len(distinct)
    return tuple(distinct) if few else ()


def _bounds(column: pl.Series, kind: Kind) -> tuple[Bound | None, Bound | None]:
    least, most = _range(column) if kind not in ("text", "boolean") else (None, None)
    if least is None or most is None or least == most:
        return None, None  # of what never varies the range is not known
    if isinstance(least, date):  # a datetime is one too
        return _first_of_year(least), None
    with localcontext(prec=_DIGITS):
        low, high = Decimal(str(least)), Decimal(str(most))
        unit = Decimal(1).scaleb((high - low).adjusted())
        lower = (low / unit).to_integral_value(ROUND_FLOOR) * unit
        upper = (high / unit).to_integral_value(ROUND_CEILING) * unit
        return _number(lower, kind), _number(upper, kind)


def _range(column: pl.Series) -> tuple[Any, Any]:
    try:
        return column.min(), column.max()
    except (ValueError, OverflowError):  # an instant outside Python's calendar
        return None, None


def _number(value: Decimal, kind: Kind) -> int | float | None:
    """A bound as a number; none where it is larger than a contract can say."""
    if abs(value) < 2**53 and value == value.to_integral_value():
        return int(value)
    if kind == "integer":
        return int(value) if abs(value) < 2**63 else None
    return float(value) if math.isfinite(float(value)) else None


def _first_of_year(day: date) -> date | None:
    if isinstance(day, datetime):
        zone = day.tzinfo
        return datetime(day.year, 1, 1, tzinfo=zone) if zone is None and 1700 <= day.year <= 2250 else None
    return date(day.year, 1, 1)


def _widest(columns: Mapping[str, Expected]) -> int:
    return max((len(_key(name)) for name in columns), default=0)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _entry(expected: Expected) -> str:
    return f"{{ {', '.join(_fields(expected))} }}"


def _fields(expected: Expected) -> Iterator[str]:
    yield f'type = "{expected.type}"'
    if expected.required:
        yield "required = true"
    for name in ("min", "max"):
        bound = getattr(expected, name)
        if bound is not None:
            yield f"{name} = {bound.isoformat() if isinstance(bound, date) else repr(bound)}"
    if expected.one_of:
        yield f"one_of = [{', '.join(_quoted(str(value)) for value in expected.one_of)}]"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
