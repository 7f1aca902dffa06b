"""The register: ideas by number, new ones begun by several people at once, and near-duplicates told."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from unittest import mock

import pytest

from shipworthy.errors import InvalidInputError, NotFoundError, PreconditionError, ShipworthyError
from shipworthy.ideas.alike import alike
from shipworthy.ideas.idea import read_idea
from shipworthy.ideas.lock import lock_criteria, locked_criteria
from shipworthy.ideas.register import begin_idea, find_idea, list_ideas, new_idea, readable_ideas
from shipworthy.project import Project, open_project
from shipworthy.store import Change, Record

FIRST = "ideas/0001-same-weekday.toml"


def test_a_new_idea_gets_the_next_number(bakery: Project):
    """The file that is begun can be read, misses what nobody said yet, and has a record."""
    path = new_idea(bakery, 'Rye "Mondays" \\ für alle', smallest_gain=2.5, problem="bakery", owner="me")
    idea = read_idea(path)
    assert path.name == "0002-rye-mondays-fur-alle.toml"
    assert (idea.title, idea.problem, idea.owner) == ('Rye "Mondays" \\ für alle', "bakery", "me")
    assert idea.smallest_gain == 2.5
    assert [gap.what for gap in idea.gaps()] == [
        "The idea has no challenger.",
        "The idea does not say what would be decided differently.",
        "The idea does not say why that should earn more.",
    ]
    body = {"slug": "rye-mondays-fur-alle", "lock": None, "text": path.read_text()}
    assert bakery.records.get("idea", "0002").body == body


@pytest.mark.parametrize("title", ["", "   ", "!!!", "🥐"])
def test_a_title_has_to_give_a_file_name(bakery: Project, title: str):
    """A title without letters or digits is refused, and nothing is written."""
    with pytest.raises(InvalidInputError, match="gives no file name"):
        new_idea(bakery, title)
    assert len(list_ideas(bakery)) == 1


@pytest.mark.parametrize(
    ("title", "name"), [("Früher backen", "0002-fruher-backen.toml"), ("パンを早く焼く", "0002-idea.toml")]
)
def test_a_title_may_be_in_any_language(bakery: Project, title: str, name: str):
    """Its file is named by what it has of Latin letters, and by nothing of it where it has none."""
    path = new_idea(bakery, title)
    assert (path.name, read_idea(path).title) == (name, title)


def test_a_title_stays_in_its_line_and_goes_its_own_way(bakery: Project):
    """Line breaks are spaces, and marks that turn the words around are left out, wherever the title came from."""
    assert begin_idea(bakery, {"title": "Bake\nby \u202ethe\tweekday "}).title == "Bake by the weekday"
    assert find_idea(bakery, 2).title == "Bake by the weekday"


def test_a_text_that_is_no_unicode_leaves_no_file(bakery: Project):
    """Bytes of a terminal that are not UTF-8 are refused before anything is written."""
    with pytest.raises(InvalidInputError, match="UTF-8"):
        new_idea(bakery, "odd \udcff title")
    assert [idea.number for idea in list_ideas(bakery)] == [1]


def test_a_path_in_a_title_stays_in_the_folder(bakery: Project):
    """A title cannot lead the file out of ideas/."""
    path = new_idea(bakery, "../../etc/passwd")
    assert path.parent == bakery.root / "ideas"


def test_ideas_begun_at_once_get_numbers_of_their_own(bakery: Project):
    """Of eight people at once each gets a number of his own or is told to repeat; nobody's file is lost or doubled."""
    start = Barrier(8)

    def begin(n: int) -> Path | None:
        project = open_project(bakery.root)
        start.wait()
        try:
            return new_idea(project, f"Idea of person {n}")
        except PreconditionError:
            return None
        finally:
            project.records.close()

    with ThreadPoolExecutor(8) as pool:
        written = [path for path in pool.map(begin, range(8)) if path is not None]
    assert written
    assert sorted(idea.slug for idea in list_ideas(bakery) if idea.number > 1) == sorted(
        read_idea(path).slug for path in written
    )


def test_a_number_is_never_used_again(bakery: Project):
    """An idea whose file is gone leaves records behind; the next idea does not inherit them."""
    path = new_idea(bakery, "Gone soon")
    lock_criteria(bakery, read_idea(path), {})
    path.unlink()
    again = read_idea(new_idea(bakery, "Another one"))
    assert again.number == 3
    assert locked_criteria(bakery, again) is None
    assert bakery.records.get("idea", "0002").body["lock"] is not None


def test_a_file_in_the_way_is_left_alone(bakery: Project):
    """A file that appears under the chosen name in the very moment is not overwritten."""
    path = bakery.root / "ideas/0002-another-one.toml"
    add = bakery.records.add

    def appear(*changes: Change, by: str) -> list[Record]:
        path.write_text("mine")
        return add(*changes, by=by)

    with mock.patch.object(bakery.records, "add", appear), pytest.raises(PreconditionError, match="Repeat the command"):
        new_idea(bakery, "Another one")
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["0001-twin.toml", "1-twin.toml", "00001-twin.toml"])
def test_two_files_with_one_number_are_refused(bakery: Project, name: str):
    """A number names one idea; which two files share it is said, however they write it."""
    for other in ("0002-b", "0003-c"):
        shutil.copy(bakery.root / FIRST, bakery.root / "ideas" / f"{other}.toml")
    shutil.copy(bakery.root / FIRST, bakery.root / "ideas" / name)
    with pytest.raises(InvalidInputError, match=r"(?=.*same-weekday)(?=.*twin).*both have number 1"):
        list_ideas(bakery)


def test_ideas_come_by_number(bakery: Project):
    """The order is that of the numbers, not of the file names."""
    for name in ("10000-far", "9999-near", "2-short"):
        shutil.copy(bakery.root / FIRST, bakery.root / "ideas" / f"{name}.toml")
    assert [idea.number for idea in list_ideas(bakery)] == [1, 2, 9999, 10000]


def test_an_idea_that_is_not_there_is_said_with_those_that_are(bakery: Project):
    """Asking for a number without a file lists the numbers there are."""
    with pytest.raises(NotFoundError, match=r"No idea 9\. There is: 1\. Begin one"):
        find_idea(bakery, 9)


def test_no_ideas_folder_is_no_idea(bakery: Project):
    """A project without ideas/ has none, and the first one makes the folder."""
    shutil.rmtree(bakery.root / "ideas")
    assert list_ideas(bakery) == []
    assert new_idea(bakery, "First").name == "0001-first.toml"


def test_near_duplicates_are_told(bakery: Project):
    """The same title, even before anything else is written, or the same change in other words, is told; others are not."""
    first = find_idea(bakery, 1)
    same_title = read_idea(new_idea(bakery, "Bake for the weekday and not for yesterday"))
    same_change = read_idea(new_idea(bakery, "Weekly rhythm", change=first.change.replace("instead of", "rather than")))
    fresh = read_idea(new_idea(bakery, "Ask the weather", change="Forecast demand from the temperature of tomorrow."))
    assert [idea.number for idea in alike(bakery, same_title)] == [1]
    assert [idea.number for idea in alike(bakery, same_change)] == [1]
    assert alike(bakery, fresh) == []


def test_a_broken_file_hinders_no_other_idea(bakery: Project):
    """The list names the file that is broken; other ideas are found by their number, and shown on a board, all the same."""
    (bakery.root / "ideas/0002-broken.toml").write_text("title =")
    with pytest.raises(ShipworthyError, match=r"0002-broken\.toml is not valid TOML"):
        list_ideas(bakery)
    assert find_idea(bakery, 1).slug == "same-weekday"
    (bakery.root / "ideas/odd.toml").write_text("")
    (bakery.root / "ideas/0001-twin.toml").write_text("title = 'x'")
    ideas, refusals = readable_ideas(bakery)
    assert [idea.number for idea in ideas] == [1]
    assert {word for word in ("odd.toml", "0002-broken", "twin") if any(word in str(one) for one in refusals)} == {
        "odd.toml",
        "0002-broken",
        "twin",
    }
