"""What changed from one contract to another, and what of it breaks: rows, or requests, that were good may now be refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.data.contract import Contract, Expected
from shipworthy.data.sql_rule import rule_columns
from shipworthy.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing in which a contract differs from an older one.

    Attributes:
        where: The field.
        what: What is other now.
        breaks: Whether rows that were good may now be refused; where not, it only loosens.
        live: Whether requests are held against it too: it asks only for what is known before deciding.
    """

    where: str
    what: str
    breaks: bool
    live: bool

    def __str__(self) -> str:
        whom = "rows and requests" if self.live else "rows"
        return f"{f'breaks {whom}' if self.breaks else 'loosens'}: {self.where} {self.what}"


def compare_contracts(old: Contract, new: Contract, problem: Problem) -> list[Difference]:
    r"""Every difference, in the order of the files.

    Raises:
        InvalidInputError: a rule cannot be read.

    >>> from shipworthy.data.contract import parse_contract
    >>> old, new = (parse_contract(b'[columns]\nprice = { type = "number", min = %d }' % n, "shop.toml") for n in (0, 1))
    >>> shop = Problem("shop", rows=None, period="day", unit="item", outcome="sold")
    >>> [str(difference) for difference in compare_contracts(old, new, shop)]
    ['breaks rows and requests: columns.price.min is 1 instead of 0']
    """
    return [*_freshness(old, new), *_columns(old, new, problem), *_rules(old, new, problem)]


def _freshness(old: Contract, new: Contract) -> Iterator[Difference]:
    before, now = old.freshness, new.freshness
    if (before and before.seconds) == (now and now.seconds):
        return
    breaks = now is not None and (before is None or now.seconds < before.seconds)
    what = _other(before and before.text, now and now.text)
    yield Difference(where="freshness", what=what, breaks=breaks, live=False)


def _columns(old: Contract, new: Contract, problem: Problem) -> Iterator[Difference]:
    for name in dict.fromkeys([*old.columns, *new.columns]):
        before, now = old.columns.get(name), new.columns.get(name)
        if before is None or now is None:
            changes: Sequence[tuple[str, str, bool]] = [
                ("", "has an entry now" if now else "has no entry any more", now is not None)
            ]
        else:
            changes = list(_expectations(before, now))
        for field, what, breaks in changes:
            yield Difference(where=f"columns.{name}{field}", what=what, breaks=breaks, live=name not in problem.hidden)


def _expectations(old: Expected, new: Expected) -> Iterator[tuple[str, str, bool]]:
    """Field, what is other, and whether it breaks."""
    if old.type != new.type:
        yield ".type", _other(old.type, new.type), (old.type, new.type) != ("integer", "number")
    if old.required != new.required:
        yield ".required", _other(_word(old.required), _word(new.required)), new.required
    if old.min != new.min:
        yield ".min", _other(old.min, new.min), _is_tighter(old.min, new.min, above=True)
    if old.max != new.max:
        yield ".max", _other(old.max, new.max), _is_tighter(old.max, new.max, above=False)
    if set(old.one_of) != set(new.one_of):
        yield (
            ".one_of",
            _lists(old, new),
            bool(new.one_of) and (not old.one_of or bool(set(old.one_of) - set(new.one_of))),
        )
    if old.pattern != new.pattern:
        yield ".pattern", _other(old.pattern, new.pattern), new.pattern is not None


def _is_tighter(old: Any, new: Any, *, above: bool) -> bool:
    if new is None:
        return False
    if old is None:
        return True
    try:
        return bool(new > old if above else new < old)
    except TypeError:  # what cannot be compared: the column is of another type now
        return True


def _lists(old: Expected, new: Expected) -> str:
    gone = [str(value) for value in old.one_of if value not in new.one_of]
    come = [str(value) for value in new.one_of if value not in old.one_of]
    if not (old.one_of and new.one_of):
        return f"allows only {', '.join(come)} now" if new.one_of else "allows every value now"
    parts = [f"allows {', '.join(gone)} no more" if gone else "", f"allows {', '.join(come)} too" if come else ""]
    return " and ".join(part for part in parts if part)


def _rules(old: Contract, new: Contract, problem: Problem) -> Iterator[Difference]:
    """A rule that only has another name is no difference."""
    before, now = set(old.rules.values()), set(new.rules.values())
    for name, text in old.rules.items():
        if text not in now and name not in new.rules:
            yield _of_rule(old, name, problem, "is no rule any more", breaks=False)
    for name, text in new.rules.items():
        if text not in before:
            what = _other(old.rules.get(name), text) if name in old.rules else f"is new: {text}"
            yield _of_rule(new, name, problem, what, breaks=True)


def _of_rule(contract: Contract, name: str, problem: Problem, what: str, *, breaks: bool) -> Difference:
    live = not set(rule_columns(contract, name)) & set(problem.hidden)
    return Difference(where=f"rules.{name}", what=what, breaks=breaks, live=live)


def _other(old: object, new: object) -> str:
    if old is None:
        return f"is {new} now, and was not there"
    return f"is not there any more, and was {old}" if new is None else f"is {new} instead of {old}"


def _word(flag: bool) -> str:
    return "true" if flag else "false"
