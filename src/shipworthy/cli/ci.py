"""`shipworthy ci`: prove what a pull request touches, and the pipelines that do so."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from shipworthy.cli.show import as_json, show, tell
from shipworthy.errors import GateClosedError
from shipworthy.programme.pipeline import write_pipeline
from shipworthy.programme.proof import prove as prove_touched
from shipworthy.programme.proof import write_proof
from shipworthy.programme.touched import touched as touched_since
from shipworthy.project import open_project


@click.group()
def ci() -> None:
    """Prove what a pull request touches, and write the pipeline that does so."""


@ci.command()
@click.option("--replace", is_flag=True, help="Replace a file that says something else.")
@as_json
def github(replace: bool, json_: bool) -> None:
    """Write .github/workflows/shipworthy.yml."""
    _write("github", replace, json_)


@ci.command()
@click.option("--replace", is_flag=True, help="Replace a file that says something else.")
@as_json
def gitlab(replace: bool, json_: bool) -> None:
    """Write .gitlab-ci.shipworthy.yml, to be included."""
    _write("gitlab", replace, json_)


@ci.command()
@click.argument("base")
@as_json
def touched(base: str, json_: bool) -> None:
    """List the ideas that the commits since BASE touch, by their files or by those of their policies."""
    found = touched_since(open_project(), base)
    rows = [asdict(one) if json_ else {"idea": one.idea, "title": one.title, "by": ", ".join(one.by)} for one in found]
    show(rows, json_=json_, empty="No idea is touched.")


@ci.command()
@click.argument("base")
@click.option("--into", type=click.Path(path_type=Path), metavar="FILE", help="Write what was found as Markdown.")
@as_json
def prove(base: str, into: Path | None, json_: bool) -> int:
    """Run data, research and analysis of each idea that the commits since BASE touch; 4 unless all of them ship."""
    project = open_project()
    proofs = prove_touched(project, touched_since(project, base))
    if into is not None:
        write_proof(into, proofs)
    answers = [f"{one.idea} ({one.title}): {one.answer}" for one in proofs] or "no idea is touched"
    tell({"Ideas": answers}, record={"proofs": [asdict(one) for one in proofs]} if json_ else None)
    return 0 if all(one.is_proved for one in proofs) else GateClosedError.exit_code


def _write(host: str, replace: bool, json_: bool) -> None:
    path = write_pipeline(open_project(), host, replace=replace)
    tell(
        {"Written": str(path), "Next": "read docs/ci.md, pin what it uses, commit it"},
        record={"file": str(path)} if json_ else None,
    )
