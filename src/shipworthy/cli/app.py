"""The root command: finds a verb's file when the verb is asked for, and turns every error into one clear message."""

from __future__ import annotations

import faulthandler
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from importlib import import_module
from io import TextIOWrapper
from keyword import iskeyword
from pathlib import Path

import click

from shipworthy.errors import ShipworthyError, UnavailableError

_VERBS: Mapping[str, tuple[str, str]] = {
    "init": ("start", "Lay a small working problem in this folder."),
    "demo": ("demo", "Walk three ideas about a real restaurant from a sentence to money."),
    "status": ("status", "Show where each idea stands, and the next command to type."),
    "idea": ("idea", "1. Idea: begin, show, list and edit ideas."),
    "data": ("data", "2. Data: can the idea be proved with the data that are there?"),
    "research": ("research", "3. Research: replay champion and challenger over the history."),
    "analyse": ("analyse", "4. Analysis: the verdict, and the report that people read."),
    "holdout": ("holdout", "Tell which ideas opened each history, and what is left of it."),
    "override": ("override", "Set a verdict aside: one person says why, another one agrees."),
    "sign": ("sign", "Stand behind what a gate is about, in a role."),
    "comment": ("comment", "Say something about an idea."),
    "plan": ("plan", "Plan live trials: how long shadow, canary and switchback take."),
    "ship": ("ship", "5. Ship: into shadow, canary, live; each step on evidence."),
    "rollback": ("ship", "Take back what is on trial or live."),
    "refit": ("refit", "Fit what serves again, on rows read now."),
    "release": ("release", "List and show releases; take them out of the project or in."),
    "keys": ("keys", "Who signs releases, and whom the project trusts."),
    "retire": ("ship", "Let the release from before an idea that is live serve again."),
    "drill": ("drill", "Time a rollback: plant harm in a scratch copy, behind a real service."),
    "deploy": ("deploy", "Write what Docker, Kubernetes or AWS needs to run what is rolled out."),
    "serve": ("serve", "Answer decisions over HTTP with what is rolled out."),
    "shadow": ("shadow", "Let who did not answer decide the same, guarded."),
    "watch": ("watch", "Hold what runs live against what the replay promised; alerts in money."),
    "ask": ("ask", "Ask records, evidence and logs in SQL, which only reads."),
    "ci": ("ci", "Prove what a pull request touches; write its pipeline."),
    "notices": ("notices", "Tell a webhook and Slack what happens."),
    "standup": ("standup", "Tell what moved since yesterday, what waits for whom, what is at risk."),
    "backlog": ("backlog", "Rank what is worth doing next, by the squad's own hit rate."),
    "programme": ("programme", "Show all ideas together: money, hit rate, cycle times."),
    "history": ("history", "Tell what served when, who moved it and on what evidence."),
    "rollout": ("rollout", "Tell what a rollout's live periods say, and what its next step misses."),
    "ledger": ("ledger", "Show forecast against realised gain of each shipped idea."),
    "compare": ("compare", "Compare ideas in one table and one plot."),
    "simulate": ("simulate", "Check the verdict on your own history, with worthless ideas."),
    "verdict": ("verdict", "Judge a file of evidence from elsewhere, without a project."),
    "decide": ("decide", "Decide a file of rows now, as the service would."),
    "outcomes": ("outcomes", "Say what happened, from a file, a query or the problem's own source."),
    "overrides": ("overrides", "Say what was really done instead, and see what that was worth."),
    "replay-log": ("replay_log", "Decide what was asked live again, with any release."),
    "compact": ("compact", "Turn what was logged into Parquet in the object store."),
    "server": (".server.command", "Open the board and the API of this folder's workspace."),
    "jobs": ("jobs", "List what was asked of a server, and end what runs."),
    "export": ("parcel", "Write a project, or one of its problems, in open formats."),
    "import": ("parcel", "Take in what `export` wrote, with its history."),
    "store": ("store", "Check that what is kept is whole; back it up, restore it, move it."),
    "account": ("account", "Who may sign in to this workspace, and with which roles."),
    "token": ("token", "Make, list and revoke what programs sign in with."),
    "audit": ("audit", "Tell who did what; export it; prove that the log is whole."),
    "gc": ("gc", "Show, or delete, the stored objects that no record leads to."),
}
"""Each verb with its module, from here, and its line in the help; kept here so that help imports none of them."""

_SHOWN_TRACEBACK = "SHIPWORTHY_TRACEBACK"


class _Verbs(click.Group):
    """A group that imports a verb's file only when that verb is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (click's signature)
        return _verb(cmd_name) if cmd_name in _VERBS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click's)
        with formatter.section("Verbs"):
            formatter.write_dl([(name, text) for name, (_, text) in _VERBS.items()])


def find_command(words: str) -> click.Command:
    """The command of some words: "research", "idea new"."""
    name, _, rest = words.partition(" ")
    verb = _verb(name)
    return verb.commands[rest] if isinstance(verb, click.Group) else verb


def all_words() -> Iterator[str]:
    """The words of every command that does something."""
    for name in _VERBS:
        verb = _verb(name)
        yield from [f"{name} {word}" for word in verb.commands] if isinstance(verb, click.Group) else [name]


def _verb(name: str) -> click.Command:
    known = f"{name}_" if iskeyword(name) else name.replace("-", "_")
    command: click.Command = getattr(import_module(f".{_VERBS[name][0]}", __package__), known)
    return command


@click.group(cls=_Verbs, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="shipworthy", message="shipworthy %(version)s")
@click.pass_context
def root(ctx: click.Context) -> None:
    """Is this idea worth shipping? Prove it, ship it, and count what it earned.

    Alone, it shows where each idea of this folder stands and the next command to type.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(_verb("status"))


def main() -> None:
    """Runs the command line and ends the process with a documented exit code."""
    for threads in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ.setdefault(threads, "1")  # replays are parallel by processes; and sums are the same each time
    if sys.__stderr__ and not faulthandler.is_enabled():
        faulthandler.enable(sys.__stderr__)  # a solver that takes the process down: at which line of whose policy
    _write_what_the_terminal_can()
    try:
        code = root.main(standalone_mode=False, prog_name="shipworthy")
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _say("Interrupted. What was finished is kept; the same command goes on from there.")
        sys.exit(130)
    except ShipworthyError as error:
        if os.environ.get(_SHOWN_TRACEBACK):
            raise
        _say(f"{_title(error)}: {error}")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        _say(f"Unavailable: {error.strerror or error}: {error.filename or ''}".rstrip(": "))
        sys.exit(UnavailableError.exit_code)
    except Exception as error:  # noqa: BLE001  (the last door: nobody is shown a traceback, and none is lost)
        _say(
            f"This is a defect of shipworthy, not of yours: {type(error).__name__}: {error}\nThe details are in {_kept()}."
        )
        sys.exit(1)


def _write_what_the_terminal_can() -> None:
    """A letter that the terminal's encoding lacks is written as its number, instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _say(message: str) -> None:
    click.echo(click.style(message, fg="red") if sys.stderr.isatty() else message, err=True)


def _title(error: ShipworthyError) -> str:
    name = type(error).__name__.removesuffix("Error")
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return words.capitalize()


def _kept() -> Path:
    with tempfile.NamedTemporaryFile("w", prefix="shipworthy-", suffix=".log", delete=False) as file:
        file.write(traceback.format_exc())
    return Path(file.name)
