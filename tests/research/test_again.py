"""Research once more: nothing is computed twice, what changed is named, and stored evidence can be put to the test."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from shipworthy.cli.app import root
from shipworthy.data.examine import examine_data
from shipworthy.errors import GateClosedError
from shipworthy.project import Project, open_project
from shipworthy.research.research import research_idea
from shipworthy.research.verification import verify_idea
from tests.problems import SHOP, make_project


@pytest.fixture
def researched(bakery: Project, monkeypatch) -> Project:
    """The bakery with one idea researched, as the current folder."""
    monkeypatch.chdir(bakery.root)
    examine_data(bakery, 1)
    research_idea(bakery, 1)
    return bakery


def change(project: Project, old: str, new: str) -> None:
    """Edits the problem's file and examines the data again."""
    file = project.root / "problem.py"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    examine_data(open_project(project.root), 1)


def test_where_nothing_changed_the_record_is_the_answer(researched: Project):
    """No fit, no record, and neither the snapshot nor a block is read: they are gone, and nobody asks for them."""
    [first] = researched.records.history("research", "0001")
    for name in [*researched.objects.list("cache/"), *researched.objects.list("snapshots/")]:
        researched.objects.delete(name)
    again = research_idea(researched, 1)
    assert (again.fits, again.evidence, list(again.changes)) == (0, first.body["evidence"], [])
    assert len(researched.records.history("research", "0001")) == 1


def test_evidence_that_is_gone_is_computed_again_and_is_the_same(researched: Project):
    """What was cleared away by hand comes back under the same name, and the run says why it worked."""
    evidence = research_idea(researched, 1).evidence
    for name in [evidence, *researched.objects.list("cache/")]:
        researched.objects.delete(name)
    again = research_idea(researched, 1)
    assert again.evidence == evidence
    assert again.fits == again.blocks > 0
    assert again.changes == [f"Nothing changed, but {again.fits} blocks were not kept any more."]


def test_another_problem_of_the_same_file_is_another_run(tmp_path):
    """Rows, code and the names of the policies are the same; what a decision is worth is not."""
    source = (
        SHOP
        + """
other = sw.Problem("other", rows=sw.frame(made_up_rows), period="day", unit="item", outcome="sold", decision="stock")
other.value(lambda happened: pl.col("stock"))
other.policy(champion=True, name="today")(Yesterday)
other.policy(name="better")(Better)
"""
    )
    folder = make_project(tmp_path, source, None, "[research]\nworkers = 1").root
    settings, idea = folder / "shipworthy.toml", folder / "ideas" / "0001-idea.toml"
    settings.write_text(settings.read_text().replace('["problem:shop"]', '["problem:shop", "problem:other"]'))
    examine_data(open_project(folder), 1)
    first = research_idea(open_project(folder), 1)
    idea.write_text(idea.read_text().replace('problem = "shop"', 'problem = "other"'))
    examine_data(open_project(folder), 1)
    second = research_idea(open_project(folder), 1)

    assert (second.problem, second.changes) == ("other", ["problem was shop and is other."])
    assert second.evidence != first.evidence


def test_what_changed_is_named(researched: Project):
    """The file of both roles, what was asked, and nothing else."""
    assert research_idea(researched, 1, repetitions=2).changes == ["repetitions was 1 and is 2."]
    change(researched, "import polars", "# a remark\nimport polars")
    changes = research_idea(open_project(researched.root), 1, repetitions=2).changes
    assert changes == ["champion: problem.py changed.", "challenger: problem.py changed."]
    shown = CliRunner().invoke(root, ["research", "1", "--repetitions", "2", "--explain"], catch_exceptions=False)
    assert "Nothing changed since the last run." in shown.output


def test_stored_evidence_comes_out_again_in_another_process(researched: Project):
    """A fresh process, nothing that was kept, the same bytes: exit code 0."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "123"}
    command = [sys.executable, "-m", "shipworthy", "research", "1", "--verify", "--json"]
    done = subprocess.run(command, cwd=researched.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["is_same"] is True


def test_the_first_place_that_differs_is_named(researched: Project):
    """A value that reads a file beside the code gives other evidence once that changed, and where it shows first is told."""
    (researched.root / "more.txt").write_text("0")
    source = (researched.root / "problem.py").read_text()
    patched = source + (
        "\n\nfrom pathlib import Path\n\n@bakery.value\ndef profit_and_more(happened, assumed):\n"
        "    return profit(happened, assumed) + float((Path(__file__).parent / 'more.txt').read_text())\n"
    )
    (researched.root / "problem.py").write_text(patched)
    project = open_project(researched.root)
    examine_data(project, 1)
    first = research_idea(project, 1)
    assert verify_idea(project, 1).is_same
    (researched.root / "more.txt").write_text("1")
    found = verify_idea(project, 1)
    assert not found.is_same
    assert found.evidence == first.evidence
    assert found.difference.column == "value_champion"
    assert found.difference.where.startswith("period 2025-")
    assert found.difference.is_now == pytest.approx(found.difference.was + 1)
    shown = CliRunner().invoke(root, ["research", "1", "--verify"], standalone_mode=False)
    assert shown.return_value == GateClosedError.exit_code
    assert "column 'value_champion'" in shown.output


def test_without_research_there_is_nothing_to_verify(bakery: Project):
    """The gate says what is missing."""
    examine_data(bakery, 1)
    with pytest.raises(GateClosedError, match="There is no evidence for this idea yet"):
        verify_idea(bakery, 1)


def test_options_that_contradict_one_another_are_refused(researched: Project):
    """Exploring keeps nothing, so there is nothing to verify or to repeat."""
    for arguments in (
        ["--verify", "--repetitions", "2"],
        ["--development", "--explain"],
        ["--from", "2025-06-01", "--verify"],
    ):
        shown = CliRunner().invoke(root, ["research", "1", *arguments])
        assert shown.exit_code == 2
        assert "goes with none of" in shown.output
