"""The guarded child: one release that decides in the shadow, where it can neither write nor talk to anybody.

It is run by `shadow.walls`, behind the walls of the kernel. It opens the release from what its parent carries over, closes the
guard, and then answers one question after another: which decisions a line of the decision log would have got from it.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from threading import enumerate as all_threads
from typing import Any

import msgspec

from shipworthy.engine.memory import available_memory
from shipworthy.errors import UnavailableError
from shipworthy.live.arms import TIME_LIMIT, answer_of, breaking, undecided
from shipworthy.live.outcomes import LivePast
from shipworthy.live.serving import Served, as_json
from shipworthy.live.shadow.denials import Denials
from shipworthy.live.shadow.frames import Answer, Carried, Found, Question, Ready, Wanted, receive, send
from shipworthy.live.shadow.read_through import ReadThrough
from shipworthy.live.shadow.walls import close_walls
from shipworthy.log.archive import Archive
from shipworthy.project import CONFIG_NAME, open_project
from shipworthy.ship.release import open_release
from shipworthy.store import Change


def main(scratch: Path, walls: list[str]) -> None:
    """Opens, closes the guard, and answers until the parent hangs up."""
    questions, answers = _take_pipes()
    carried = msgspec.msgpack.decode(receive(questions), type=Carried)
    sys.dont_write_bytecode = True

    def ask(wanted: Wanted) -> Found:
        send(answers, wanted)
        return msgspec.msgpack.decode(receive(questions), type=Found)

    of_parent = ReadThrough(root=scratch, settings={}, ask=ask)
    archive = Archive.of(of_parent, carried.problem) if carried.is_compacted else None
    try:
        served = _opened(carried, scratch)
    except Exception as error:  # noqa: BLE001  (a release holds the user's code: whatever it raises is told)
        send(answers, Ready(trouble=f"{type(error).__name__}: {error}"))
        return
    past = LivePast(Path(carried.folder), key=served.release.problem.key, archive=archive)
    free = available_memory()
    walls += close_walls(None if free is None else free // 2)
    denials = Denials()
    denials.begin()
    send(answers, Ready(walls=walls))
    last = False
    while not last:
        question = msgspec.msgpack.decode(receive(questions), type=Question)
        try:
            answer = _answered(served, past, msgspec.json.decode(question.line))
        except (UnavailableError, OSError) as error:
            send(answers, Answer(trouble=str(error)))
            continue
        last = any(thread.name.startswith("decide-") for thread in all_threads())
        send(answers, Answer(answer=answer, denied=denials.take(), last=last))


def _answered(served: Served, past: LivePast, entry: dict[str, Any]) -> dict[str, Any]:
    """What the release decides for what was asked then, knowing what was known then."""
    request = served.contract.read_logged(entry)
    past.cover(entry["period"], as_json(served.first_remembered(request.period)), until=entry["at"])
    past.refresh(until=entry["at"])
    lacks = breaking(served, request)
    if lacks:
        return undecided(served, request, f"the request {lacks}")
    return answer_of(served, past, request, request.time_limit or TIME_LIMIT, until_now=False)


def _opened(carried: Carried, scratch: Path) -> Served:
    """The release, opened as everywhere else, from a project of its own that holds nothing but it.

    Who signed it was checked by the parent, who has the keys; that its bytes are those that were signed is checked here again.
    """
    manifest = str(carried.record["manifest"]).rpartition("/")[2]
    (scratch / CONFIG_NAME).write_text(f'[release]\nallow_unsigned = ["{manifest}"]\n', encoding="utf-8")
    project = open_project(scratch)
    for name, content in carried.contents.items():
        project.objects.put(name, content)
    project.records.add(Change(kind="release", key=carried.release, body=carried.record), by=project.who)
    served = Served(open_release(project, carried.release))
    project.records.close()
    shutil.rmtree(scratch / ".shipworthy" / "objects", ignore_errors=True)
    return served


def _take_pipes() -> tuple[int, int]:
    """The pipes to the parent, out of the way of what a policy prints: that goes to the parent's stderr."""
    questions, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return questions, answers


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
