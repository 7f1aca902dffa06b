"""Every error that shipworthy raises on purpose, branched by what the caller can do about it.

    ShipworthyError
    ├── InvalidInputError      what was given is wrong: correct it            exit 2
    │   └── UserCodeError      the project's own Python code is wrong         exit 2
    ├── NotFoundError          it does not exist: ask for one that does       exit 3
    ├── GateClosedError        a stage still misses something: finish that    exit 4
    ├── PreconditionError      somebody was first: look again, then retry     exit 5
    │   └── AlreadyExistsError the name is taken: choose another              exit 5
    ├── UnavailableError       a store, port or disk does not answer          exit 6
    ├── TamperedError          bytes differ from their digest: do not use it  exit 7
    └── DeniedError            it is not yours to do: ask somebody who may    exit 8
        └── SignInError        nobody knows who you are: sign in              exit 8

A message says what was asked, what is there, and what to do next. Bad *rows* are not errors: the data stage
returns them as rows with a reason each.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar, Self

_MOST_NAMED = 50


class ShipworthyError(Exception):
    """The root of the tree; `exit_code` is what the command line ends with.

    >>> NotFoundError("No idea 9.").exit_code
    3
    """

    exit_code: ClassVar[int] = 1


class InvalidInputError(ShipworthyError):
    """What was given cannot be used; the message names the field and the remedy."""

    exit_code = 2


class UserCodeError(InvalidInputError):
    """The project's own code failed; the message names the file and line where it did."""


class NotFoundError(ShipworthyError):
    """What was asked for is not there; the message lists what is."""

    exit_code = 3

    @classmethod
    def among(cls, noun: str, asked: object, present: Iterable[object], remedy: str = "") -> Self:
        """Builds the message from what was asked and what there is.

        >>> print(NotFoundError.among("policy", "forcast", ["forecast", "last_week"]))
        No policy 'forcast'. Did you mean 'forecast'? There is: forecast, last_week.
        """
        names = [str(name) for name in present]
        close = get_close_matches(str(asked), names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
        there = f" There is: {', '.join(names[:_MOST_NAMED])}{more}." if names else " There is none yet."
        return cls(f"No {noun} {asked!r}.{hint}{there}{' ' + remedy if remedy else ''}")


class GateClosedError(ShipworthyError):
    """A stage's gate still misses something; the message lists every gap with its remedy."""

    exit_code = 4


class PreconditionError(ShipworthyError):
    """The thing changed since it was read: somebody else was first."""

    exit_code = 5


class AlreadyExistsError(PreconditionError):
    """The name is taken."""


class UnavailableError(ShipworthyError):
    """Something outside (a store, a disk, a port) does not answer or refuses to write."""

    exit_code = 6


class TamperedError(ShipworthyError):
    """Bytes do not have the digest that was recorded for them."""

    exit_code = 7


class DeniedError(ShipworthyError):
    """Whoever asks may not do this; the message names who may."""

    exit_code = 8


class SignInError(DeniedError):
    """Nobody knows who asks: no session and no token, or one that is over."""
