"""`shipworthy comment`: say something about an idea."""

from __future__ import annotations

import click

from shipworthy.cli.show import as_json, tell
from shipworthy.ideas.comment import Comment, comments, correct_comment
from shipworthy.ideas.comment import comment as say
from shipworthy.project import open_project


@click.command()
@click.argument("number", type=int)
@click.argument("text", required=False)
@click.option("--reply-to", type=int, metavar="COMMENT", help="The comment that it answers.")
@click.option("--correct", type=int, metavar="COMMENT", help="Your own comment that it replaces.")
@as_json
def comment(number: int, text: str | None, reply_to: int | None, correct: int | None, json_: bool) -> None:
    """Say TEXT about idea NUMBER; alone, tell what was said."""
    if reply_to is not None and correct is not None:
        raise click.UsageError("--reply-to and --correct go not together: a correction answers what it answered.")
    if text is None and (reply_to is not None or correct is not None):
        raise click.UsageError("Say what: give TEXT.")
    project = open_project()
    if correct is not None:
        correct_comment(project, number, correct, str(text))
    elif text is not None:
        say(project, number, text, reply_to=reply_to)
    found = comments(project, number)
    facts = {"Comments": [line_of(one) for one in found] or f"none on idea {number}"}
    tell(facts, record={"comments": [one.to_dict() for one in found]} if json_ else None)


def line_of(one: Comment) -> str:
    """A comment as one line."""
    answers = f", to {one.reply_to}" if one.reply_to is not None else ""
    edited = ", edited" if one.edited_at else ""
    return f"{one.id}. {one.by} on {one.at:%Y-%m-%d}{answers}{edited}: {' '.join(one.text.split())}"
