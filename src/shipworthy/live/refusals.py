"""The one shape of an answer that holds no decisions: an `application/problem+json` document (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from shipworthy.errors import ShipworthyError

MOST_ERRORS = 20
"""How many wrong fields one answer lists; the caller corrects those, and asks again."""

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong place in a request.

    Attributes:
        field: Where it is, written as one would reach for it: "rows[3].price_eur".
        detail: What is wrong with it and what would be right.
    """

    field: str
    detail: str


class RefusedError(ShipworthyError):
    """A request that is not answered with what it asked for.

    Attributes:
        status: The HTTP status.
        document: The body of the answer, as RFC 9457 has it.
        headers: What else the answer must carry.

    >>> RefusedError(422, "One field is wrong.", errors=[FieldError("period", "is missing")]).document["errors"]
    [{'field': 'period', 'detail': 'is missing'}]
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        """Says what is wrong; `more` are further members of the document."""
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        title = HTTPStatus(status).phrase
        self.document: dict[str, Any] = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            **more,
        }
        listed = [{"field": error.field, "detail": error.detail} for error in errors]
        if listed:
            self.document["errors"] = listed[:MOST_ERRORS]


def wrong_fields(errors: Iterable[FieldError]) -> RefusedError:
    """The refusal of a request whose fields are wrong.

    >>> str(wrong_fields([FieldError("rows[0].price", "is missing")]))
    'rows[0].price is missing'
    """
    listed = list(errors)
    more = "" if len(listed) == 1 else f" (and {len(listed) - 1} more wrong fields, see errors)"
    return RefusedError(422, f"{listed[0].field} {listed[0].detail}{more}", errors=listed)


def unavailable(detail: str, **more: Any) -> RefusedError:
    """The refusal of a service that cannot answer now; the caller may ask again in a second."""
    return RefusedError(503, detail, headers={"Retry-After": "1"}, **more)
