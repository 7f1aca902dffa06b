"""The HTTP status of every error of the tree."""

from __future__ import annotations

from collections.abc import Mapping

from shipworthy.errors import (
    AlreadyExistsError,
    DeniedError,
    GateClosedError,
    InvalidInputError,
    NotFoundError,
    PreconditionError,
    ShipworthyError,
    SignInError,
    TamperedError,
    UnavailableError,
)

STATUS: Mapping[type[ShipworthyError], int] = {
    InvalidInputError: 422,
    NotFoundError: 404,
    GateClosedError: 409,
    PreconditionError: 412,
    AlreadyExistsError: 409,
    UnavailableError: 503,
    TamperedError: 409,
    DeniedError: 403,
    SignInError: 401,
}
"""By the error's class; a class without a line has its parent's."""


def status_of(error: ShipworthyError) -> int:
    """The status that an error is answered with.

    >>> status_of(GateClosedError("The gate is closed.")), status_of(SignInError("Sign in."))
    (409, 401)
    """
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
