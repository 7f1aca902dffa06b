"""Where containers find records and objects: in the image, on a volume, or in the project's own stores."""

from __future__ import annotations

from collections.abc import Mapping

from shipworthy.errors import InvalidInputError
from shipworthy.project import Project
from shipworthy.ship.targets.deployment import State
from shipworthy.variable import held, variable_in


def stores_for(project: Project, state: State) -> Mapping[str, str]:
    """What `[store]` says in the container; nothing where the state is in the image or on a volume.

    Raises:
        InvalidInputError: the stores are not where the state is to be, or the image would carry an address with a password.
    """
    addresses = {name: str(address) for name, address in project.settings["store"].items()}
    if state == "image":  # whose records and objects are copied, wherever they lie
        return {}
    for name, address in addresses.items():
        is_shared = "://" in held(address, f"store.{name}")
        if state == "volume" and is_shared:
            raise InvalidInputError(
                f"store.{name} is not on this machine, so a volume would not hold it. Say --state stores: then containers use "
                "the stores that the project uses."
            )
        if state == "stores" and not is_shared:
            raise InvalidInputError(
                f"With --state stores containers use the stores that the project uses, and store.{name} is {address!r}, which "
                "only this machine has. Move it to a database or a bucket first, with `shipworthy store move`."
            )
    if state == "volume":
        return {}
    if not variable_in(addresses["records"]):
        raise InvalidInputError(
            "store.records is an address in shipworthy.toml, and the image would carry it with whatever password it holds. Put "
            "the address into an environment variable and write records = '$NAME'."
        )
    return addresses
