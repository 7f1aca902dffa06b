"""Where a verdict comes from, and how it is made again."""

from __future__ import annotations

from shipworthy.analysis.report.story import Story

AGAIN = "With the same rows and code, these commands give the same digests and the same verdict:"


def digests(story: Story) -> list[tuple[str, str]]:
    """What the verdict was computed from, by name, and who asked for it."""
    return [
        ("Snapshot", story.research.snapshot),
        ("Evidence", story.analysis.evidence),
        ("Code", story.analysis.code),
        ("Locked criteria", story.research.criteria),
        ("Verdict recorded", f"{story.judged_at:%Y-%m-%d %H:%M:%S} UTC by {story.judged_by}"),
    ]


def commands(story: Story) -> list[str]:
    """What to type: with the same rows and code it gives the same digests and the same verdict."""
    number, repetitions = story.idea.number, story.research.repetitions
    repeated = f" --repetitions {repetitions}" if repetitions > 1 else ""
    return [f"shipworthy data {number}", f"shipworthy research {number}{repeated}", f"shipworthy analyse {number}"]
