"""Pipelines: what a change touches is found, proved and told, by the very steps that the written files hold."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipworthy.errors import AlreadyExistsError, InvalidInputError
from shipworthy.programme.pipeline import FILES, render_pipeline, write_pipeline
from shipworthy.programme.proof import Proof, as_markdown
from shipworthy.programme.touched import touched
from shipworthy.project import Project
from tests.cli.typed import typed

IDENTITY = ("-c", "user.name=ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")


def git(folder: Path, *words: str) -> str:
    """What git says."""
    return subprocess.run(
        ["git", *IDENTITY, *words], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def commit(folder: Path, what: str) -> str:
    """Commits everything, and gives the commit."""
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", what)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def committed(walked: Project) -> str:
    """The kiosk as a repository, with its first commit."""
    (walked.root / ".gitignore").write_text(".shipworthy\n__pycache__\n")
    git(walked.root, "init", "-q")
    return commit(walked.root, "Begin")


def test_an_idea_is_touched_by_its_file_its_contract_and_the_code_behind_it(walked: Project, committed: str):
    """A page nobody imports touches none, an idea's own file touches it alone, code that policies import touches theirs."""
    root = walked.root
    assert touched(walked, committed) == []
    (root / "notes.md").write_text("A note.\n")
    (root / "unused.py").write_text("x = 1\n")
    assert touched(walked, commit(root, "Note")) == []
    base = git(root, "rev-parse", "HEAD")
    (root / "ideas" / "0002-kiosk.toml").write_text((root / "ideas" / "0002-kiosk.toml").read_text() + "# more\n")
    commit(root, "Write")
    assert [(one.idea, one.by) for one in touched(walked, base)] == [(2, ("ideas/0002-kiosk.toml",))]
    (root / "contracts").mkdir()
    (root / "contracts" / "kiosk.toml").write_text("# nothing yet\n")
    commit(root, "Guard")
    assert [one.by for one in touched(walked, base)] == [
        ("contracts/kiosk.toml",),
        ("contracts/kiosk.toml", "ideas/0002-kiosk.toml"),
    ]
    (root / "problem.py").write_text((root / "problem.py").read_text() + "# a remark\n")
    commit(root, "Remark")
    assert all("problem.py" in one.by for one in touched(walked, base))
    assert typed(root, "ci", "touched", base, "--json").json[0]["idea"] == 1


def test_what_git_does_not_know_is_refused(walked: Project, committed: str, tmp_path: Path):
    """A commit that is not there, an option in its place, a folder without git: each says what to do."""
    for base in ("0" * 40, "--output=stolen", "main..other", ""):
        with pytest.raises(InvalidInputError):
            touched(walked, base)
    assert not (walked.root / "stolen").exists()


def test_the_pipelines_ask_for_little_and_give_forks_nothing(walked: Project):
    """Read-only by default, no secret in a step that runs the project's code, comments only within the repository."""
    found = yaml.safe_load(render_pipeline("github", "squads/food"))
    assert found["permissions"] == {"contents": "read"}
    triggers = found[True]  # YAML 1.1 reads `on` as true
    assert set(triggers) == {"pull_request"}
    [job] = found["jobs"].values()
    assert job["permissions"] == {"contents": "read", "pull-requests": "write", "statuses": "write"}
    assert job["defaults"]["run"]["working-directory"] == "squads/food"
    assert "secrets." not in render_pipeline("github")
    for step in job["steps"]:
        assert ("uses" in step) != ("run" in step)
        assert "@" in step.get("uses", "@")
        assert "${{" not in step.get("run", ""), "what others write reaches a shell through variables alone"
        if "GH_TOKEN" in step.get("env", {}):
            assert "head.repo.full_name == github.repository" in step["if"]
    [proving] = [step for step in job["steps"] if step.get("id") == "prove"]
    assert "env" not in proving
    [checkout] = [step for step in job["steps"] if "checkout" in step.get("uses", "")]
    assert checkout["with"] == {"fetch-depth": 0, "persist-credentials": False}
    gitlab = yaml.safe_load(render_pipeline("gitlab", "squads/food"))["shipworthy"]
    assert gitlab["cache"]["paths"] == ["squads/food/.shipworthy"]
    assert gitlab["rules"][0]["if"].endswith('"merge_request_event"')
    assert set(gitlab) >= {"image", "script", "artifacts", "rules"}


def test_a_pipeline_is_written_once_at_the_top_of_the_repository(walked: Project, committed: str):
    """It is not written over what somebody changed, unless that is asked for."""
    for host in ("github", "gitlab"):
        said = typed(walked.root, "ci", host, "--json")
        path = Path(said.json["file"])
        assert path == walked.root.resolve() / FILES[host]
        assert write_pipeline(walked, host) == path
        path.write_text("# mine\n")
        with pytest.raises(AlreadyExistsError, match="--replace"):
            write_pipeline(walked, host)
        write_pipeline(walked, host, replace=True)
        assert path.read_text() != "# mine\n"
    with pytest.raises(InvalidInputError, match="letters"):
        render_pipeline("github", 'x"; rm -rf $HOME')


def steps(walked: Project, host: str) -> list[str]:
    """The commands with which a host proves a change, and shows it."""
    found: Any = yaml.safe_load(render_pipeline(host))
    if host == "gitlab":
        return [*found["shipworthy"]["script"]]
    [job] = found["jobs"].values()
    return [step["run"] for step in job["steps"] if step.get("name") in ("Prove", "Show")]


FULL = os.environ.get("SHIPWORTHY_WALKS") == "full"


@pytest.mark.parametrize("host", ["github", "gitlab"] if FULL else ["github"])
def test_the_steps_of_a_pipeline_tell_a_good_idea_from_one_that_loses(
    host: str, walked: Project, committed: str, tmp_path: Path
):
    """Run as they stand in a scratch repository, they fail because one touched idea loses, and tell of both."""
    root, summary = walked.root, tmp_path / "summary.md"
    for number, old, new in ((1, "Weekends", "All weekends"), (2, '"weekday"', '"one"')):
        path = root / "ideas" / f"000{number}-kiosk.toml"
        path.write_text(path.read_text().replace(old, new))
    commit(root, "Change both")
    variables = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "BASE": committed,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": committed,
        "GITHUB_STEP_SUMMARY": str(summary),
        "SHIPWORTHY_USER": "ci",
        "POLARS_MAX_THREADS": "1",
    }
    ended = [
        subprocess.run(["bash", "-e", "-c", step], cwd=root, env=variables, capture_output=True, check=False).returncode
        for step in steps(walked, host)
    ]
    assert ended == [4, 0][: len(ended)]
    proof = (root / "shipworthy-proof.md").read_text()
    assert "| ship |" in proof
    assert "| stop |" in proof
    assert "Ship it" in proof
    assert "![" not in proof
    assert host != "github" or summary.read_text() == proof


def test_a_proof_says_what_is_missing_and_fits_into_a_comment():
    """An idea that is still being written stops nobody; what people typed is no markup; a long report is left out."""
    draft = Proof(
        idea=3,
        title="<b>|x|</b>",
        by=("ideas/0003-x.toml",),
        answer="to be completed",
        report="No title.",
        is_proved=True,
    )
    text = as_markdown([draft, Proof(idea=4, title="", by=(), answer="ship", report="x" * 70_000, is_proved=True)])
    assert "<b>" not in text.replace("\\<b\\>", "")
    assert len(text) < 65_536
    assert "too long" in text
    assert "touches no idea" in as_markdown([])
