"""A picture is drawn once, and shown also where it cannot be kept."""

from __future__ import annotations

from pathlib import Path

from shipworthy.analysis.report.drawing import Plot
from shipworthy.board.kept_pictures import Picture, kept
from tests.full_disk import files_end_at
from tests.server.town import lay


def test_a_picture_that_cannot_be_kept_is_shown_all_the_same(tmp_path: Path):
    """On a full disk it is drawn each time; once there is room it is kept and drawn no more."""
    workspace = lay(tmp_path)
    drawn = []

    def draw() -> list[Picture]:
        drawn.append("once")
        return [Picture(Plot(title="It pays", wide="<svg/>", narrow="<svg/>"), "a note")]

    def shown() -> list[str]:
        return [picture.plot.title for picture in kept(workspace, "money", {"gain": 1.0}, draw, may_draw=True) or []]

    with files_end_at(10):
        assert shown() == shown() == ["It pays"]
    assert len(drawn) == 2
    assert shown() == shown() == ["It pays"]
    assert len(drawn) == 3
    workspace.records.close()
