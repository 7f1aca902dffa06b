"""What stands in the environment instead of in a file: a setting `$NAME` is what that variable holds."""

from __future__ import annotations

import os

from shipworthy.errors import InvalidInputError

_MARK = "$"


def variable_in(said: str) -> str:
    """The name of the variable that a setting names; empty where it says the thing itself.

    >>> variable_in("$SHOP_RECORDS"), variable_in("records.db")
    ('SHOP_RECORDS', '')
    """
    return said.removeprefix(_MARK) if said.startswith(_MARK) else ""


def held(said: str, what: str) -> str:
    """What a setting says, or what the environment variable holds that it names.

    Args:
        said: The setting, such as "records.db" or "$SHOP_RECORDS".
        what: What it is, for people.

    Raises:
        InvalidInputError: there is no such variable, or it is empty.

    >>> held("s3://shop/models", "store.objects")
    's3://shop/models'
    """
    if not said.startswith(_MARK):
        return said
    name = variable_in(said)
    if not os.environ.get(name):
        raise InvalidInputError(
            f"{what} is to stand in the environment variable {name!r}, which is not set. Set it where this runs, or write down "
            "what it would hold."
        )
    return os.environ[name]
