"""The time is the machine's, until a file that a variable names sets it for every process that has the variable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shipworthy.errors import InvalidInputError
from shipworthy.project import open_project
from shipworthy.project.clock import VARIABLE, now
from shipworthy.store import Change

TOLD = datetime(2027, 3, 4, 5, 6, tzinfo=UTC)


def _set(clock: Path, text: str | bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.write_bytes(text if isinstance(text, bytes) else text.encode())
    monkeypatch.setenv(VARIABLE, str(clock))


def test_it_is_the_machines_time_in_utc(monkeypatch: pytest.MonkeyPatch):
    """Without the variable, or where it is empty, it lies between two looks at the machine's clock."""
    for value in ("", None):
        monkeypatch.setenv(VARIABLE, value) if value is not None else monkeypatch.delenv(VARIABLE)
        before = datetime.now(UTC)
        assert before <= now() <= datetime.now(UTC)
        assert now().utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["2027-03-04T05:06:00Z", "2027-03-04T05:06", " 2027-03-04T07:06:00+02:00\n"])
def test_the_file_sets_it(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With an offset or without, which is UTC; and as soon as the file says another instant, that is the time."""
    _set(tmp_path / "clock", text, monkeypatch)
    assert now() == TOLD
    _set(tmp_path / "clock", "2027-03-05", monkeypatch)
    assert now() == datetime(2027, 3, 5, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "0001-01-01T00:00+23:00", b"\xff"])
def test_what_is_no_instant_is_refused(text: str | bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The message names the variable and the file."""
    _set(tmp_path / "clock", text, monkeypatch)
    with pytest.raises(InvalidInputError, match=f"{VARIABLE}.*{tmp_path / 'clock'}"):
        now()


def test_no_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A variable that leads nowhere does not silently mean the machine's time."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(InvalidInputError, match="gone"):
        now()


def test_records_of_every_process_are_stamped_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What this process and another one write into a project bears the time that the file says."""
    (tmp_path / "shipworthy.toml").write_text("")
    _set(tmp_path / "clock", "2027-03-04T05:06:00Z", monkeypatch)
    project = open_project(tmp_path)
    [mine] = project.records.add(Change(kind="idea", key="1", body={}), by="me")
    script = (
        "from shipworthy.project import open_project; from shipworthy.store import Change; import json;"
        "[r] = open_project().records.add(Change(kind='idea', key='2', body={}), by='me'); print(json.dumps(r.at.isoformat()))"
    )
    _set(tmp_path / "clock", "2027-03-04T05:07:00Z", monkeypatch)
    said = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=dict(os.environ), capture_output=True, check=True
    )
    project.records.close()

    assert mine.at == TOLD
    assert datetime.fromisoformat(json.loads(said.stdout)) == TOLD + timedelta(minutes=1)
