"""Which verbs can be asked for from far away, by whom, and what of them stays on the command line, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shipworthy.workspace.job import Lane
from shipworthy.workspace.role import Permission

_A_FILE = "It names a file on the server's own disk."
_REVIEWED = "It writes a file that belongs in the project's repository, where it is reviewed."
_ANY_DATABASE = "It would let whoever asks read any file or database that the server can reach."
_OPERATOR = "It is the work of whoever operates the server, on its machine."
_PIPELINE = "It looks at the files of a pull request, where a pipeline has checked them out."
_FOR_EVER = "A job comes to an end."


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """How a verb is asked for from far away.

    Attributes:
        permission: What whoever asks must be allowed.
        always: What the command is always given.
        files: Parameters whose value comes in the request, and lies in a file of that name for the command.
        left_out: Parameters that cannot be given, each with the reason.
    """

    permission: Permission
    always: Sequence[str] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def lane(self) -> Lane:
        """What it waits beside."""
        return {Permission.READ: Lane.LOOK, Permission.ROLL_BACK: Lane.PROMPT}.get(self.permission, Lane.WORK)


REMOTE: Mapping[str, Remote] = {
    "status": Remote(permission=Permission.READ),
    "data": Remote(
        permission=Permission.EXAMINE,
        left_out={
            "bad_rows": _A_FILE,
            "draft_contract": _REVIEWED,
            "diff_contract": _A_FILE,
            "problem": "It belongs to the contracts.",
        },
    ),
    "research": Remote(permission=Permission.RESEARCH),
    "analyse": Remote(permission=Permission.ANALYSE),
    "holdout": Remote(permission=Permission.READ),
    "plan": Remote(permission=Permission.ANALYSE),
    "ship": Remote(permission=Permission.SHIP, left_out={"target": _REVIEWED}),
    "rollback": Remote(permission=Permission.ROLL_BACK),
    "refit": Remote(permission=Permission.SHIP),
    "release list": Remote(permission=Permission.READ),
    "release show": Remote(permission=Permission.READ),
    "keys show": Remote(permission=Permission.READ),
    "retire": Remote(permission=Permission.SHIP),
    "drill": Remote(permission=Permission.OPERATE),
    "watch": Remote(
        permission=Permission.OPERATE,
        always=("--once",),
        left_out={"once": "It always looks once.", "every": _FOR_EVER, "fail": "The answer holds the alerts."},
    ),
    "history": Remote(permission=Permission.READ),
    "rollout": Remote(permission=Permission.READ),
    "ledger": Remote(permission=Permission.READ),
    "compare": Remote(permission=Permission.READ, left_out={"file": _A_FILE}),
    "simulate": Remote(permission=Permission.ANALYSE, left_out={"evidence": _A_FILE}),
    "decide": Remote(
        permission=Permission.OPERATE, files={"rows": "rows.json", "state": "state.json"}, left_out={"out": _A_FILE}
    ),
    "outcomes": Remote(
        permission=Permission.OPERATE,
        files={"file": "rows.json"},
        left_out={"sql": _ANY_DATABASE, "database": _ANY_DATABASE, "bad_rows": _A_FILE},
    ),
    "overrides": Remote(
        permission=Permission.OPERATE,
        files={"file": "rows.json"},
        left_out={"sql": _ANY_DATABASE, "database": _ANY_DATABASE},
    ),
    "replay-log": Remote(permission=Permission.ANALYSE, left_out={"out": _A_FILE}),
    "compact": Remote(permission=Permission.OPERATE),
    "gc": Remote(permission=Permission.OPERATE),
}
"""By the verb's words."""

ANSWERED_HERE: Mapping[str, str] = {
    "idea new": "create_idea",
    "idea show": "idea",
    "idea list": "ideas",
    "idea edit": "edit_idea",
    "sign": "sign",
    "override": "override",
    "standup": "standup",
    "backlog": "backlog",
    "programme": "programme",
    "ask": "ask",
    "comment": "comment",
    "account add": "add_account",
    "account list": "accounts",
    "account password": "set_password",
    "account roles": "edit_account",
    "account disable": "edit_account",
    "token make": "make_token",
    "token list": "tokens",
    "token revoke": "revoke_token",
    "audit": "audit",
    "export": "export",
    "jobs list": "jobs",
    "jobs show": "job",
    "jobs end": "end_job",
}
"""Verbs that need records alone: the endpoint that answers them without a process of their own."""

NOT_REMOTE: Mapping[str, str] = {
    "init": "It lays down a project; a server serves those that are there.",
    "demo": "It lays down a project of its own to walk through.",
    "serve": "It runs a service, which whoever operates the machines starts.",
    "shadow": "It runs beside the service, on its machine.",
    "server": "It is this server.",
    "deploy": _REVIEWED,
    "verdict": "It judges a file from elsewhere and needs no project: run it where that file lies.",
    "release export": "It writes a file on the disk.",
    "release import": "It reads a file from the disk; a release is code, and whom to trust is decided on the machine.",
    "keys new": "A private key never leaves the machine that it was made on.",
    "keys revoke": "Whom the project trusts is reviewed in its repository.",
    "keys trust": "Whom the project trusts is reviewed in its repository.",
    "notices": "The server tells the channels by itself, as things happen.",
    "import": "It reads a folder of the disk, and whose histories are taken in is decided on the machine.",
    "ci touched": _PIPELINE,
    "ci prove": _PIPELINE,
    "ci github": _REVIEWED,
    "ci gitlab": _REVIEWED,
    "idea pull": "It writes a file into the repository that it is called in.",
    "idea push": "It reads a file of the repository that it is called in.",
    "store check": _OPERATOR,
    "store backup": _OPERATOR,
    "store restore": _OPERATOR,
    "store move": _OPERATOR,
}
"""Verbs that stay on the command line, each with the reason."""
