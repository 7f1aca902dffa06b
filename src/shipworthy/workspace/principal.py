"""Who asks: a person or a program, with the roles that it has in each squad."""

from __future__ import annotations

from dataclasses import dataclass, field

from shipworthy.errors import DeniedError
from shipworthy.project.role import one_of
from shipworthy.workspace.role import EVERYWHERE, MAY, Permission, Role, Roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks.

    Attributes:
        name: The name under which it is recorded.
        roles: Its roles by squad; under "*" those that it has in every squad.
        scope: What the token that it came with is good for; None without a token: all that its roles allow.
        proved: Whether a server let it sign in; on a laptop a name is only said.

    >>> ann = Principal(name="ann", roles={"food": frozenset({Role.ANALYST})})
    >>> ann.may(Permission.RESEARCH, "food"), ann.may(Permission.RESEARCH, "energy"), ann.may(Permission.SHIP, "food")
    (True, False, False)
    """

    name: str
    roles: Roles = field(default_factory=dict)
    scope: frozenset[Permission] | None = None
    proved: bool = True

    def roles_in(self, squad: str) -> frozenset[Role]:
        """What it is in a squad; an admin is one of the whole workspace or none, whatever was written under a squad."""
        return (self.roles.get(squad, frozenset()) - {Role.ADMIN}) | self.roles.get(EVERYWHERE, frozenset())

    def may(self, permission: Permission, squad: str) -> bool:
        """Whether it may do that in that squad."""
        within = self.scope is None or permission in self.scope
        return within and bool(MAY[permission] & self.roles_in(squad))

    def require(self, permission: Permission, squad: str) -> None:
        """Refuses what it may not do.

        Raises:
            DeniedError: it may not; the message says who may.
        """
        if self.may(permission, squad):
            return
        named = f"squad {squad!r}" if squad and squad != EVERYWHERE else "this workspace"
        if MAY[permission] & self.roles_in(squad):
            raise DeniedError(f"The token of {self.name} is not good for {permission!s}. Make one whose scope has it.")
        who = one_of(MAY[permission])
        raise DeniedError(f"{self.name} may not {permission!s} in {named}. {who[0].upper()}{who[1:]} may.")


def local(name: str) -> Principal:
    """The one user of a laptop, who is everything at once."""
    return Principal(name=name, roles={EVERYWHERE: frozenset(Role)}, proved=False)
