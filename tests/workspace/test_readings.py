"""A reading is trusted for a while, by a clock that may be set."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from shipworthy.project.clock import now
from shipworthy.workspace import reading
from shipworthy.workspace.reading import Question, Reading
from shipworthy.workspace.readings import Readings
from tests.server.town import lay


def test_what_failed_in_a_future_that_never_came_is_read_again(tmp_path: Path):
    """A failed reading is tried again a minute later, also where the clock was ahead when it failed, and went back."""
    workspace = lay(tmp_path)
    kitchen = workspace.project("kitchen")
    readings, question = Readings(kitchen), Question(words=("standup",))
    for ahead, is_on_its_way in ((timedelta(0), False), (timedelta(days=1), True)):
        failed = Reading(answer=None, error="no room", seq=0, log="", at=now() + ahead)
        failed.keep(kitchen.root / ".shipworthy" / "readings", question)
        assert readings.last(question)[1] is is_on_its_way
    readings.end()
    kitchen.records.close()
    workspace.records.close()


def test_what_another_version_read_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its answer may have another form than pages of this version expect."""
    question = Question(words=("standup",))
    Reading(answer={"old": 1}, error="", seq=0, log="", at=now()).keep(tmp_path, question)
    assert Reading.find(tmp_path, question) is not None
    monkeypatch.setattr(reading, "_VERSION", "99.0")
    assert Reading.find(tmp_path, question) is None
