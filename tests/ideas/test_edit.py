"""Ideas are edited in place, by several people, in files and in records, and nobody's words are lost unseen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree
from threading import Barrier

import pytest

from shipworthy.data.examine import examine_data
from shipworthy.errors import GateClosedError, InvalidInputError, NotFoundError, PreconditionError, UnavailableError
from shipworthy.ideas.edit import edit_idea, pull_idea, push_idea, waiting
from shipworthy.ideas.lock import deviations, lock_criteria
from shipworthy.ideas.register import begin_idea, find_idea, list_ideas, new_idea
from shipworthy.ideas.written import Agreement, read_written
from shipworthy.project import Project, open_project
from tests.cli.typed import typed
from tests.full_disk import files_end_at

FIRST = "ideas/0001-same-weekday.toml"


@pytest.fixture
def elsewhere(bakery: Project, tmp_path: Path) -> Iterator[Project]:
    """Another work tree of the bakery, which shares its records and has no idea's file."""
    folder = copytree(bakery.root, tmp_path / "elsewhere")
    for file in folder.glob("ideas/*"):
        file.unlink()
    with (folder / "shipworthy.toml").open("a", encoding="utf-8") as config:
        config.write(f"[store]\nrecords = {str(bakery.root / '.shipworthy/records.db')!r}\n")
    project = open_project(folder)
    yield project
    project.records.close()


def _by_hand(project: Project, before: str, after: str) -> None:
    path = project.root / FIRST
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_an_idea_is_there_for_everybody_who_shares_the_store(bakery: Project, elsewhere: Project):
    """What was begun in one work tree, or on a board, is listed and found in another one, and `pull` writes its file."""
    path = new_idea(bakery, "Ask the weather", smallest_gain=2.0)
    begun = begin_idea(elsewhere, {"title": "Bake twice", "deadline": "2027-01-31", "effort": 3})
    assert (begun.number, begun.effort, str(begun.deadline)) == (3, 3.0, "2027-01-31")
    assert not list((elsewhere.root / "ideas").glob("*"))
    assert [idea.title for idea in list_ideas(elsewhere)] == ["Ask the weather", "Bake twice"]
    assert find_idea(bakery, 3) == begun
    assert waiting(elsewhere) == [2, 3]
    assert pull_idea(elsewhere, 2).read_bytes() == path.read_bytes()
    assert typed(elsewhere.root, "idea", "pull", "--json").json == {"files": ["ideas/0003-bake-twice.toml"]}
    assert waiting(elsewhere) == []


def test_an_edit_goes_into_the_file_and_the_record(bakery: Project):
    """Comments in the file stay, and the record says the same to the letter."""
    after = edit_idea(bakery, 1, {"title": "Bake for the day", "effort": 4.0})
    text = (bakery.root / FIRST).read_text()
    assert (after.idea.title, after.idea.effort) == ("Bake for the day", 4.0)
    assert "# where does the gain come from?" in text
    assert bakery.records.get("idea", "0001").body["text"] == text
    assert find_idea(bakery, 1) == after.idea
    assert not list((bakery.root / "ideas").glob(".*"))


def test_the_second_of_two_editors_is_told(bakery: Project):
    """Who has seen an older edition than there is is refused, and nothing of the first one's words is lost."""
    seen = read_written(bakery, 1).edition
    edit_idea(bakery, 1, {"title": "First"}, expect=seen)
    with pytest.raises(PreconditionError, match="somebody else meanwhile"):
        edit_idea(bakery, 1, {"title": "Second"}, expect=seen)
    assert find_idea(bakery, 1).title == "First"


def test_of_many_editors_at_once_one_wins(bakery: Project):
    """Six people who saw the same edition and save at once: one is heard, all others are told."""
    seen, start = read_written(bakery, 1).edition, Barrier(6)
    before = (bakery.root / FIRST).read_text()

    def edit(n: int) -> str | None:
        project = open_project(bakery.root)
        start.wait()
        try:
            return edit_idea(project, 1, {"owner": f"person {n}"}, expect=seen).idea.owner
        except PreconditionError:
            return None
        finally:
            project.records.close()

    with ThreadPoolExecutor(6) as pool:
        heard = [owner for owner in pool.map(edit, range(6)) if owner]
    assert heard == [find_idea(bakery, 1).owner]
    assert [record.body["text"] for record in bakery.records.history("idea", "0001")] == [
        before,
        (bakery.root / FIRST).read_text(),
    ]


def test_what_was_changed_by_hand_meanwhile_is_not_overwritten(bakery: Project):
    """A form that was opened before somebody edited the file is refused; opened again, it keeps what was edited."""
    seen = edit_idea(bakery, 1, {"effort": 2.0}).edition
    _by_hand(bakery, 'owner = "bakery squad"', 'owner = "ann"   # by hand')
    with pytest.raises(PreconditionError):
        edit_idea(bakery, 1, {"title": "New"}, expect=seen)
    now = read_written(bakery, 1)
    assert now.agreement is Agreement.CHANGED
    assert edit_idea(bakery, 1, {"title": "New"}, expect=now.edition).idea.owner == "ann"
    assert "# by hand" in (bakery.root / FIRST).read_text()


def test_a_file_that_is_behind_is_not_gone_on_with(bakery: Project, elsewhere: Project):
    """What somebody edited elsewhere is not undone by an old file: data and edits are refused until one of them counts."""
    push_idea(bakery, 1)
    edit_idea(elsewhere, 1, {"smallest_gain": 9.0})
    assert read_written(bakery, 1).agreement is Agreement.BEHIND
    with pytest.raises(PreconditionError, match="idea pull 1"):
        edit_idea(bakery, 1, {"title": "New"})
    with pytest.raises(GateClosedError, match="idea pull 1"):
        examine_data(bakery, 1)
    assert "idea pull 1" in typed(bakery.root, "idea", "show", 1).out
    pull_idea(bakery, 1)
    assert find_idea(bakery, 1).smallest_gain == 9.0
    assert "# where does" in (bakery.root / FIRST).read_text()


@pytest.mark.parametrize("is_recorded", [True, False])
def test_an_edit_that_was_cut_off_is_mended_by_the_next_one(
    bakery: Project, monkeypatch: pytest.MonkeyPatch, is_recorded: bool
):
    """Ended between record and file, the next who saves sees what was recorded, and then goes on from there."""
    if is_recorded:
        push_idea(bakery, 1)
    seen = read_written(bakery, 1).edition
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", _cut_off)
        with pytest.raises(KeyboardInterrupt):
            edit_idea(bakery, 1, {"owner": "ann"}, expect=seen)
    assert read_written(bakery, 1).agreement is Agreement.BEHIND
    with pytest.raises(PreconditionError, match="somebody else meanwhile"):
        edit_idea(bakery, 1, {"title": "New"}, expect=seen)
    now = read_written(bakery, 1)
    assert (now.agreement, now.idea.owner) == (Agreement.SAME, "ann")
    assert edit_idea(bakery, 1, {"title": "New"}, expect=now.edition).idea.owner == "ann"
    assert 'owner = "ann"' in (bakery.root / FIRST).read_text()


def _cut_off(_self: Path, _target: Path) -> Path:
    raise KeyboardInterrupt


def test_a_file_and_a_record_that_went_apart_are_left_to_somebody(bakery: Project, elsewhere: Project):
    """Changed by hand here and edited there: neither is overwritten until somebody says which one counts."""
    push_idea(bakery, 1)
    _by_hand(bakery, "bakery squad", "ann")
    os.utime(bakery.root / FIRST, (1.7e9, 1.7e9))  # long before what is edited now
    edit_idea(elsewhere, 1, {"owner": "ben"})
    assert read_written(bakery, 1).agreement is Agreement.APART
    for refused in (lambda: edit_idea(bakery, 1, {"title": "New"}), lambda: pull_idea(bakery, 1)):
        with pytest.raises(PreconditionError, match="idea push 1"):
            refused()
    assert push_idea(bakery, 1).agreement is Agreement.SAME
    assert find_idea(elsewhere, 1).owner == "ann"
    assert [record.body["text"].count("ben") for record in bakery.records.history("idea", "0001")] == [0, 1, 0]


def test_data_keeps_what_the_file_says(bakery: Project, elsewhere: Project):
    """An idea that was written by hand is there for everybody once its data are examined."""
    with pytest.raises(NotFoundError):
        find_idea(elsewhere, 1)
    examine_data(bakery, 1)
    assert find_idea(elsewhere, 1) == find_idea(bakery, 1)


def test_what_is_locked_is_edited_knowingly_or_not_at_all(bakery: Project):
    """Words may be improved after the lock; what counts as success only as a deviation, and then it stands as one."""
    lock_criteria(bakery, find_idea(bakery, 1), {})
    edit_idea(bakery, 1, {"because": "Saturdays are busy, which yesterday does not know.", "effort": 1.0})
    with pytest.raises(InvalidInputError, match=r"smallest_gain was 5\.0.*--deviate"):
        edit_idea(bakery, 1, {"smallest_gain": 1.0})
    assert edit_idea(bakery, 1, {"smallest_gain": 1.0}, knowingly=True).idea.smallest_gain == 1.0
    assert len(deviations(bakery, find_idea(bakery, 1))) == 1
    assert edit_idea(bakery, 1, {"title": "Other words"}).idea.title == "Other words"


@pytest.mark.parametrize("text", ["title =", "tilte = 'x'", "[worth]\neffort = -1", "title = '" + "x" * 30_000 + "'"])
def test_a_text_that_is_no_idea_is_refused(bakery: Project, text: str):
    """A whole text is refused by what is wrong in it, and nothing is written."""
    before = (bakery.root / FIRST).read_text()
    with pytest.raises(InvalidInputError):
        edit_idea(bakery, 1, text=text)
    assert (bakery.root / FIRST).read_text() == before
    assert bakery.records.get("idea", "0001") is None


def test_the_command_line_edits_every_field(bakery: Project):
    """Each option of `idea edit` says one field, --without takes one out, and the answer names what was edited."""
    words = ["--deadline", "2027-03-31", "--segment", "bread", "--expected-gain", 1, 2, 30, "--per", "year"]
    more = ["--effort", 3, "--cost", 100, "--guardrail", "sold_out", 0.02, "--without", "owner"]
    said = typed(bakery.root, "idea", "edit", 1, *words, *more, "--json").json
    assert set(said["edited"]) == {
        "deadline",
        "segments",
        "expected_gain",
        "per",
        "effort",
        "cost",
        "guardrails",
        "owner",
    }
    idea = find_idea(bakery, 1)
    assert (idea.expected_gain, idea.guardrails, idea.owner) == ((1.0, 2.0, 30.0), {"sold_out": 0.02}, "")
    assert typed(bakery.root, "idea", "edit", 1, "--deadline", "soon").code == 2
    assert typed(bakery.root, "idea", "edit", 1).code == 2
    assert typed(bakery.root, "idea", "push", 9).code == 3


def test_a_server_reads_a_file_again_only_where_it_changed(bakery: Project, monkeypatch: pytest.MonkeyPatch):
    """Files that did not change since they were read are not read again; one that did is."""
    path = bakery.root / FIRST
    os.utime(path, (1.7e9, 1.7e9))
    read: list[Path] = []
    whole = Path.read_bytes

    def noted(self: Path) -> bytes:
        read.append(self)
        return whole(self)

    monkeypatch.setattr(Path, "read_bytes", noted)
    monkeypatch.setattr("shipworthy.ideas.files._SETTLED_NS", -(10**18))
    assert list_ideas(bakery) == list_ideas(bakery)
    assert read == [path]
    path.write_text(path.read_text().replace("Bake for", "Bake by"))
    assert list_ideas(bakery)[0].title.startswith("Bake by")


def test_an_edit_that_finds_no_room_for_its_file_changes_nothing(bakery: Project):
    """On a full disk an edit is refused before it is recorded, so that it can be repeated once there is room."""
    before = read_written(bakery, 1)
    with files_end_at(10), pytest.raises(UnavailableError, match=r"0001-same-weekday\.toml cannot be written"):
        edit_idea(bakery, 1, {"owner": "ann"}, expect=before.edition)
    assert read_written(bakery, 1) == before
    assert [path.name for path in (bakery.root / "ideas").iterdir()] == ["0001-same-weekday.toml"]
    assert edit_idea(bakery, 1, {"owner": "ann"}, expect=before.edition).idea.owner == "ann"


def test_a_file_in_another_clone_is_known_for_an_older_one(bakery: Project, elsewhere: Project):
    """Where an idea is edited whose file nobody recorded, the same file in another clone is behind, and `pull` renews it."""
    file = elsewhere.root / FIRST
    file.write_bytes((bakery.root / FIRST).read_bytes())
    edit_idea(bakery, 1, {"owner": "ann"})
    assert read_written(elsewhere, 1).agreement is Agreement.BEHIND
    assert waiting(elsewhere) == [1]
    assert pull_idea(elsewhere, 1).read_bytes() == (bakery.root / FIRST).read_bytes()
