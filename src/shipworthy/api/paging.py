"""Pages of a list: so many at once, and a cursor that stands for the last one seen, so that new ones shift nothing."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct, structs

from shipworthy.api.endpoint import Page
from shipworthy.errors import InvalidInputError
from shipworthy.store.digest import canonical, digest

T = TypeVar("T")
Key = tuple[Any, ...]

MOST = 500
Limit = Annotated[int, Meta(ge=1, le=MOST, description="How many at most.")]
Cursor = Annotated[str, Meta(max_length=2_000, description="The `next` of the page before.")]


class PageQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """Which page of a list."""

    limit: Limit = 50
    cursor: Cursor | None = None


def page(items: Iterable[T], key: Callable[[T], Key], query: PageQuery, *, descending: bool = False) -> Page[T]:
    """One page of a list in the order of its keys, each of which stands once.

    Raises:
        InvalidInputError: the cursor is none, or of a list that was asked for otherwise.
    """
    ordered = sorted(((key(item), item) for item in items), key=lambda pair: pair[0], reverse=descending)
    after = read_cursor(query)
    start = 0
    if after is not None:
        seen = _same_kind(tuple(after), ordered[0][0]) if ordered else tuple(after)
        start = sum(1 for one, _ in ordered if (one >= seen if descending else one <= seen))
    shown = ordered[start : start + query.limit]
    more = start + query.limit < len(ordered)
    return Page(
        items=[item for _, item in shown],
        next=write_cursor(query, list(shown[-1][0])) if more else None,
        total=len(ordered),
    )


def write_cursor(query: PageQuery, position: Sequence[Any]) -> str:
    """The cursor of a position in the list that was asked for so."""
    return urlsafe_b64encode(canonical([_about(query), list(position)])).decode().rstrip("=")


def read_cursor(query: PageQuery) -> Sequence[Any] | None:
    """The position that the cursor of a request stands for; None on the first page.

    Raises:
        InvalidInputError: it is no cursor, or one of a list that was asked for otherwise.
    """
    if query.cursor is None:
        return None
    try:
        about, position = json.loads(urlsafe_b64decode(query.cursor + "=" * (-len(query.cursor) % 4)))
        is_mine = about == _about(query) and isinstance(position, list)
    except (ValueError, TypeError):
        is_mine, position = False, []
    if not is_mine:
        raise InvalidInputError(
            "This cursor does not belong to the list that was asked for. Begin again without one, and keep filters and order."
        )
    return list(position)


def _about(query: PageQuery) -> str:
    """What a cursor belongs to: all that was asked for but where."""
    fields = structs.asdict(query)
    asked = {name: value for name, value in fields.items() if name not in ("limit", "cursor")}
    return digest(canonical([type(query).__name__, asked]))[:8]


def _same_kind(seen: Key, other: Key) -> Key:
    """The position, where it can be compared with another one.

    Raises:
        InvalidInputError: it cannot.
    """
    if [type(part) for part in seen] != [type(part) for part in other]:
        raise InvalidInputError("This cursor stands for no place in the list. Begin again without one.")
    return seen
