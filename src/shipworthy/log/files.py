"""A log as files, for whoever reads files faster than entries: Parquet of what was compacted, lines of JSON of what was not."""

from __future__ import annotations

from pathlib import Path

from shipworthy.log.archive import find_parts, replaced
from shipworthy.project import Project
from shipworthy.store import get_content


def logged_problems(project: Project) -> list[str]:
    """The problems that have a log, by name."""
    folders = {path.name for path in project.log_folder.glob("*") if path.is_dir()}
    return sorted(folders | {str(record.body["problem"]) for record in project.records.find("log")})


def log_files(project: Project, problem: str, noun: str, folder: Path) -> tuple[list[Path], list[Path]]:
    """The files of a problem's log: copies of the archive's parts, put into a folder, and the segments beside the service.

    A segment stays for a minute after it was compacted, so whoever reads at once finds each of them. A line of a segment may be
    torn, and an `id` stand there twice.

    Raises:
        UnavailableError: the record store or the object store does not answer.
        TamperedError: a part of the archive was changed.
    """
    segments = sorted((project.log_folder / problem).glob(f"{noun}-*.jsonl"))  # listed before the records are asked
    parts = find_parts(project.records, problem, noun)
    gone = replaced(parts)
    copies = []
    for part in parts:
        if part.dropped is None:
            copy = folder / f"{part.object.rpartition('/')[2]}.parquet"
            copy.write_bytes(get_content(project.objects, part.object))
            copies.append(copy)
    return copies, [path for path in segments if path.name not in gone and path.stat().st_size]
