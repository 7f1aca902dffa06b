"""Sign-offs: asked for by role at the gates, void once what was signed changes, and nothing where nobody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shipworthy.analysis.analyse import analyse_idea
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.override import ask_override, second_override
from shipworthy.data.examine import examine_data
from shipworthy.errors import GateClosedError, InvalidInputError, PreconditionError
from shipworthy.ideas.edit import edit_idea
from shipworthy.ideas.register import find_idea
from shipworthy.ideas.signoff import Gate, Unsigned, signoffs
from shipworthy.project import Project, open_project
from shipworthy.project.role import Role
from shipworthy.research.research import research_idea
from shipworthy.ship.advance import advance
from shipworthy.ship.rollout import Phase, read_rollout
from shipworthy.ship.ship import ship_idea
from shipworthy.ship.signing import offered, sign, withdraw_signoff
from shipworthy.ship.standing import standing
from shipworthy.store import Change
from shipworthy.workspace.workspace import open_workspace
from tests.cli.typed import typed
from tests.ship import kiosk

Asking = Callable[[str], Project]
MANAGER, ANALYST = Role.PRODUCT_MANAGER, Role.ANALYST
MANAGER_SIGNS = "research = ['product manager']"
GOOD = 13.0


def _configured(folder: Path, signoffs: str) -> Project:
    with (folder / "shipworthy.toml").open("a", encoding="utf-8") as file:
        file.write(f"[signoffs]\n{signoffs}\n")
    return open_project(folder)


@pytest.fixture
def asking(bakery: Project) -> Iterator[Asking]:
    """Opens the bakery, its data examined, as a project that asks for sign-offs."""
    examine_data(bakery, 1)
    opened: list[Project] = []

    def ask(signoffs: str) -> Project:
        opened.append(_configured(bakery.root, signoffs))
        return opened[-1]

    yield ask
    for project in opened:
        project.records.close()


@pytest.fixture
def tried(judged: Project, parity_holds: None) -> Iterator[Asking]:
    """Opens the kiosk, its first idea in canary with a proven gain, as a project that asks for sign-offs."""
    ship_idea(judged, 1)
    kiosk.live(judged, 0, [GOOD] * 30)
    ship_idea(judged, 1)
    kiosk.live(judged, 30, [GOOD] * 30)
    opened: list[Project] = []

    def ask(signoffs: str) -> Project:
        opened.append(_configured(judged.root, signoffs))
        return opened[-1]

    yield ask
    for project in opened:
        project.records.close()


def _missing(project: Project) -> str:
    [gap] = standing(project, find_idea(project, 1)).gaps
    assert isinstance(gap, Unsigned)
    return gap.what


def test_research_waits_for_who_has_to_sign(asking: Asking):
    """The gate says who has not signed and how to; once somebody of that role has, it opens."""
    project = asking("research = ['product manager', 'data scientist']")
    with pytest.raises(
        GateClosedError, match=r"product manager has not signed what counts as success.*shipworthy sign 1"
    ) as no:
        research_idea(project, 1)
    assert "data scientist has not" in str(no.value)
    stands = standing(project, find_idea(project, 1))
    assert stands.next == 'shipworthy sign 1 --for research --as "product manager"'
    sign(project.acting("ann"), 1, Gate.RESEARCH, MANAGER)
    assert "data scientist" in _missing(project)
    sign(project.acting("ann"), 1, Gate.RESEARCH, Role.DATA_SCIENTIST)
    assert research_idea(project, 1).periods


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"smallest_gain": 1.0}, "the idea's criteria"),
        ({"because": "Weekends."}, "its text"),
        ({"smallest_gain": 1.0, "change": "Bake."}, "the idea's criteria and its text"),
    ],
)
def test_what_changed_has_to_be_signed_again(asking: Asking, fields: dict[str, object], changed: str):
    """An edit of what was signed makes the signature void, and the gap says what changed and who signed before."""
    project = asking(MANAGER_SIGNS)
    sign(project.acting("ann"), 1, Gate.RESEARCH, MANAGER)
    edit_idea(project, 1, fields)
    assert f"again: {changed} changed since ann signed" in _missing(project)
    with pytest.raises(GateClosedError):
        research_idea(project, 1)


def test_who_answers_and_until_when_is_not_signed(asking: Asking):
    """Owner, deadline and effort are no part of what counts as success."""
    project = asking(MANAGER_SIGNS)
    sign(project, 1, Gate.RESEARCH, MANAGER)
    edit_idea(project, 1, {"owner": "ben", "deadline": "2027-03-01", "effort": 3.0})
    assert research_idea(project, 1).periods


def test_a_margin_in_the_code_is_signed_too(asking: Asking):
    """What the problem says of success is signed with the idea: a softer margin has to be signed anew."""
    project = asking(MANAGER_SIGNS)
    sign(project, 1, Gate.RESEARCH, MANAGER)
    code = project.root / "problem.py"
    code.write_text(code.read_text().replace("margin=0.05", "margin=0.5"))
    examine_data(project, 1)
    assert "the problem's terms changed" in _missing(project)


def test_after_the_lock_words_are_free_and_deviations_are_not(asking: Asking):
    """Locked words may be improved without a signature; what would be a deviation needs one."""
    project = asking(MANAGER_SIGNS)
    sign(project, 1, Gate.RESEARCH, MANAGER)
    research_idea(project, 1)
    edit_idea(project, 1, {"because": "Saturdays are busy, and yesterday does not know it."})
    assert analyse_idea(project, 1).verdict.decision == "ship"
    edit_idea(project, 1, {"smallest_gain": 1.0}, knowingly=True)
    assert "criteria changed" in _missing(project)


def test_a_signature_is_taken_back_by_who_gave_it(asking: Asking):
    """Nobody else can withdraw it; both stand in the history."""
    project = asking(MANAGER_SIGNS)
    sign(project.acting("ann"), 1, Gate.RESEARCH, MANAGER)
    with pytest.raises(PreconditionError, match=r"ben has nothing to withdraw.*ann \(product manager\) signed"):
        withdraw_signoff(project.acting("ben"), 1, Gate.RESEARCH, MANAGER)
    withdraw_signoff(project.acting("Ann"), 1, Gate.RESEARCH, MANAGER)
    assert signoffs(project, find_idea(project, 1)) == []
    assert "has not signed" in _missing(project)
    assert len(project.records.history("signoff", "0001")) == 2


def test_only_who_signed_in_counts_where_that_is_asked_for(asking: Asking):
    """With `proved`, a name that was only said is not enough, and the remedy is to sign in."""
    project = asking("research = ['product manager']\nproved = true")
    sign(project.acting("ann"), 1, Gate.RESEARCH, MANAGER)
    assert "not signed what counts as success at a server" in _missing(project)
    assert standing(project, find_idea(project, 1)).next is None
    sign(project.acting("ann"), 1, Gate.RESEARCH, MANAGER, proved=True)
    assert research_idea(project, 1).periods


def test_what_is_not_there_is_not_signed(asking: Asking):
    """No verdict, no trial and no data are no thing to sign, and a stakeholder signs nothing."""
    project = asking(MANAGER_SIGNS)
    with pytest.raises(GateClosedError, match="not signed what counts as success"):
        sign(project, 1, Gate.SHIP, ANALYST)
    (project.root / "ideas/0002-new.toml").write_text('title = "New"\n')
    with pytest.raises(GateClosedError, match="The idea names no problem"):
        sign(project, 2, Gate.RESEARCH, MANAGER)
    with pytest.raises(InvalidInputError, match="stakeholder signs nothing"):
        sign(project, 1, Gate.RESEARCH, Role.STAKEHOLDER)


def test_nobody_asks_on_a_laptop(bakery: Project):
    """Without the section, no signature is missing; one that is given is kept all the same."""
    examine_data(bakery, 1)
    sign(bakery, 1, Gate.RESEARCH, MANAGER)
    assert research_idea(bakery, 1).periods
    assert [one.by for one in signoffs(bakery, find_idea(bakery, 1))] == ["tester"]


def test_a_workspace_asks_in_every_project(bakery: Project):
    """What workspace.toml asks for is added to what the project asks for, for whoever types a command there too."""
    (bakery.root.parent / "workspace.toml").write_text(
        "[workspace]\nprojects = ['bakery']\n[signoffs]\nresearch = ['product manager']\nproved = true\n"
    )
    _configured(bakery.root, "research = ['analyst']\nproved = false")
    project = open_workspace(bakery.root.parent).project("bakery")
    asked = {"research": ["product manager", "analyst"], "ship": [], "live": [], "four_eyes": False, "proved": True}
    assert project.settings["signoffs"] == asked
    (bakery.root / "workspace.toml").write_text("[workspace]\nprojects = ['.']\n")  # hides nothing of the one above
    typed(bakery.root, "data", 1)
    said = typed(bakery.root, "research", 1)
    assert said.code == 4
    assert "The product manager has not signed" in said.err


def test_a_project_outside_its_workspace_is_refused(bakery: Project):
    """There, nobody who types a command would find what the workspace asks for."""
    folder = bakery.root.parent / "office"
    folder.mkdir()
    (folder / "workspace.toml").write_text("[workspace]\nprojects = ['../bakery']\n")
    with pytest.raises(InvalidInputError, match="lies outside the workspace"):
        open_workspace(folder)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("research = ['boss']", "signoffs.research must be a list of roles, any of analyst"),
        ("live = ['stakeholder']", "signoffs.live must be a list of roles"),
        ("ship = 'analyst'", "signoffs.ship must be a list"),
        ("four_eyes = 1", "signoffs.four_eyes must be a bool"),
        ("data = ['analyst']", "data"),
    ],
)
def test_what_is_asked_for_wrongly_is_named(bakery: Project, section: str, said: str):
    """A role that there is not, or that signs nothing, is refused with those that there are."""
    with pytest.raises(InvalidInputError, match=r"shipworthy\.toml") as refusal:
        _configured(bakery.root, section)
    assert said in str(refusal.value)


def test_a_verdict_is_signed_before_it_ships(judged: Project, parity_holds: None):
    """Shadow waits for the signature of this verdict; what two people set aside cannot be signed."""
    project = _configured(judged.root, "ship = ['analyst']")
    with pytest.raises(GateClosedError, match="The analyst has not signed the verdict"):
        ship_idea(project, 1)
    sign(project.acting("ann"), 1, Gate.SHIP, ANALYST)
    assert ship_idea(project, 1).rollout.phase is Phase.SHADOW
    ask_override(project.acting("ann"), 2, Decision.STOP, "a strike")
    second_override(project.acting("ben"), 2)
    with pytest.raises(GateClosedError, match="The verdict was overridden"):
        sign(project, 2, Gate.SHIP, ANALYST)
    project.records.close()


def test_going_live_waits_for_its_signature(tried: Asking):
    """By hand and by itself: only with the signature of this release in this trial."""
    project = tried("live = ['product manager']\n[rollout]\nautomatic = true")
    assert "product manager has not signed that it goes live" in _missing(project)
    with pytest.raises(GateClosedError, match="canary to live"):
        ship_idea(project, 1)
    assert not advance(project, "kiosk").moved
    sign(project.acting("ann"), 1, Gate.LIVE, MANAGER)
    moved = advance(project, "kiosk")
    assert moved.rollout is not None
    assert (moved.moved, moved.rollout.phase) == (True, Phase.LIVE)


def test_four_eyes_see_what_goes_live(tried: Asking):
    """Who takes the step cannot be the only one who signed, whatever he signed as."""
    project = tried("live = ['product manager']\nfour_eyes = true")
    ann = project.acting("ann")
    sign(ann, 1, Gate.LIVE, MANAGER)
    with pytest.raises(GateClosedError, match="ann takes this step, and nobody else has signed"):
        ship_idea(ann, 1)
    sign(project.acting("ben"), 1, Gate.LIVE, ANALYST)
    ship_idea(ann, 1)
    serves = read_rollout(project, "kiosk")
    assert serves is not None
    assert serves.phase is Phase.LIVE


@pytest.mark.parametrize("roles", ["['product manager']", "[]"])
@pytest.mark.parametrize("proved", [False, True])
def test_the_second_signature_is_offered_to_who_has_not_signed(tried: Asking, roles: str, proved: bool):
    """Whoever signed alone may want to take the step: another person can help, they themselves cannot, and after two nobody."""
    project = tried(f"live = {roles}\nfour_eyes = true\nproved = {str(proved).lower()}")
    idea = find_idea(project, 1)

    def is_offered(name: str) -> bool:
        return bool(offered(project.acting(name), idea, standing(project, idea).gaps))

    assert is_offered("ann")
    sign(project.acting("ann"), 1, Gate.LIVE, MANAGER, proved=proved)
    assert (is_offered("ann"), is_offered("ben")) == (False, True)
    sign(project.acting("ben"), 1, Gate.LIVE, ANALYST, proved=proved)
    assert (is_offered("ann"), is_offered("cat")) == (False, False)


def test_four_eyes_that_are_proved_are_two_signatures(tried: Asking):
    """Where a name has to be proved, saying another one while taking the step is no second person."""
    project = tried("live = ['product manager']\nfour_eyes = true\nproved = true")
    sign(project.acting("ann"), 1, Gate.LIVE, MANAGER, proved=True)
    with pytest.raises(GateClosedError, match="1 of two people signed that it goes live"):
        ship_idea(project.acting("anybody"), 1)
    sign(project.acting("ben"), 1, Gate.LIVE, ANALYST, proved=True)
    assert ship_idea(project.acting("ann"), 1).rollout.phase is Phase.LIVE


def test_the_command_line_signs(asking: Asking):
    """`sign` says who signed and what is missing next; --withdraw takes it back; other roles and gates are refused."""
    root = asking("research = ['product manager']").root
    said = typed(root, "sign", 1, "--for", "research", "--as", "product manager", "--json").json
    [one] = said["signoffs"]
    assert (one["by"], one["role"], one["gate"], one["proved"]) == ("tester", "product manager", "research", False)
    assert "tester (product manager) signed what counts as success" in typed(root, "idea", "show", 1).out
    typed(root, "sign", 1, "--for", "research", "--as", "product manager", "--withdraw")
    assert "nobody signed" in typed(root, "sign", 1, "--for", "research", "--as", "analyst", "--withdraw").err
    assert typed(root, "sign", 1, "--for", "research", "--as", "stakeholder").code == 2
    assert typed(root, "sign", 1, "--for", "lunch", "--as", "analyst").code == 2
    assert typed(root, "sign", 9, "--for", "research", "--as", "analyst").code == 3


def test_a_word_at_a_gate_that_nobody_knows_opens_and_breaks_nothing(bakery):
    """A sign-off at a gate, or in a role, of another version of shipworthy is passed over; the others stand."""
    known = {"gate": "ship", "role": "analyst", "about": {}, "proved": False, "withdrawn": False}
    for body in (known | {"gate": "moon"}, known, known | {"role": "astronaut"}):
        bakery.records.add(Change(kind="signoff", key="0001", body=body), by="ann")
    assert [(str(one.gate), str(one.role)) for one in signoffs(bakery, find_idea(bakery, 1))] == [("ship", "analyst")]
