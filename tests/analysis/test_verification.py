"""A verdict is reached again from what is stored, here and on another machine; a lie about it is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shipworthy.analysis.verification import verify_analysis
from shipworthy.errors import NotFoundError, TamperedError
from shipworthy.project import open_project
from shipworthy.store import Change


def rewrite(project, kind, change):
    """Adds a version of the idea's record that somebody changed."""
    record = project.records.get(kind, "0001")
    body = change(dict(record.body))
    project.records.add(Change(kind=kind, key="0001", body=body), by="tester")


def test_a_verdict_comes_out_again_without_code_and_data(walked, tmp_path: Path):
    """Records and objects alone, on another machine, give the same verdict in all that it says."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in (".shipworthy", "ideas"):
        shutil.copytree(walked.root / name, elsewhere / name)
    (elsewhere / "shipworthy.toml").write_text('[project]\nproblems = ["nowhere:bakery"]\n', encoding="utf-8")
    found = verify_analysis(open_project(elsewhere), 1)
    assert found.is_same
    assert (found.recorded, found.again) == ("ship", "ship")


@pytest.mark.parametrize(
    ("field", "value"), [("decision", "stop"), ("gain", 1.0), ("reasons", ["Because."]), ("nu", 99)]
)
def test_a_verdict_that_was_written_otherwise_is_told(walked, field, value):
    """Whatever field of the record is another one than the evidence gives is named, with both of its values."""
    rewrite(walked, "verdict", lambda body: {**body, "verdict": {**body["verdict"], field: value}})
    found = verify_analysis(walked, 1)
    assert not found.is_same
    assert found.difference.startswith(field)


def test_softer_criteria_than_were_locked_are_found(walked):
    """Who lowers the bar in the verdict's record is told of, since the bar is in the lock."""

    def softened(body):
        criteria = {**body["verdict"]["criteria"], "min_effect": 0.0}
        return {**body, "verdict": {**body["verdict"], "criteria": criteria}}

    rewrite(walked, "verdict", softened)
    assert "min_effect" in verify_analysis(walked, 1).difference or "reasons" in verify_analysis(walked, 1).difference


def test_a_lock_that_was_changed_is_refused(walked):
    """The digest of what was locked is checked against what it says."""

    def unlocked(body):
        return {**body, "lock": {**body["lock"], "criteria": {**body["lock"]["criteria"], "smallest_gain": 0.0}}}

    rewrite(walked, "idea", unlocked)
    with pytest.raises(TamperedError, match="locked"):
        verify_analysis(walked, 1)


def test_changed_evidence_is_refused(walked):
    """Evidence whose bytes are not what its name says is never judged."""
    address = walked.records.get("verdict", "0001").body["evidence"]
    [stored] = [
        path for path in walked.root.rglob("*") if path.is_file() and path.name.startswith(address.split("/")[-1])
    ]
    stored.chmod(0o644)
    stored.write_bytes(stored.read_bytes()[:-1] + b"x")
    with pytest.raises(TamperedError):
        verify_analysis(walked, 1)


def test_there_must_be_a_verdict_to_verify(walked, tmp_path: Path):
    """An idea that was never judged is told to be judged first."""
    (walked.root / "ideas" / "0002-other.toml").write_text('title = "Other"\n', encoding="utf-8")
    with pytest.raises(NotFoundError, match="Run `shipworthy analyse 2` first"):
        verify_analysis(walked, 2)
