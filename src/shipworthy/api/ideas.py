"""Ideas: listed, found and begun, with their gates, what is locked, and what came of each stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, structs
from starlette.responses import Response

from shipworthy.analysis.analyse import read_analysis
from shipworthy.analysis.gate import missing as missing_analysis
from shipworthy.analysis.override import Override, overrides
from shipworthy.analysis.report.layout import REPORTS_FOLDER
from shipworthy.api.endpoint import PREFIX, Answer, Call, Endpoint, Page
from shipworthy.api.paging import Key, PageQuery, page
from shipworthy.data.gate import missing as missing_data
from shipworthy.errors import NotFoundError
from shipworthy.ideas.edit import edit_idea
from shipworthy.ideas.gate import missing as missing_idea
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.lock import deviations, read_lock
from shipworthy.ideas.register import begin_idea, find_idea
from shipworthy.ideas.written import Written, read_written
from shipworthy.project import Gap, Project, Stage
from shipworthy.research.gate import missing as missing_research
from shipworthy.research.research import read_research
from shipworthy.store import Record
from shipworthy.web.sandbox import SANDBOX
from shipworthy.workspace.cards import Card
from shipworthy.workspace.role import Permission

Text = Annotated[str, Meta(max_length=5_000)]
Money = Annotated[float, Meta(ge=-1e15, le=1e15)]
_PATH = "/projects/{project}/ideas"


class Order(StrEnum):
    """The order of a list of ideas; with '-' the other way round."""

    NUMBER = "number"
    NUMBER_DOWN = "-number"
    TITLE = "title"
    TITLE_DOWN = "-title"
    OWNER = "owner"
    OWNER_DOWN = "-owner"
    STAGE = "stage"
    STAGE_DOWN = "-stage"
    DEADLINE = "deadline"
    DEADLINE_DOWN = "-deadline"
    MOVED = "moved"
    MOVED_DOWN = "-moved"


class IdeaQuery(PageQuery, kw_only=True):
    """Which ideas, in which order."""

    stage: Stage | None = None
    owner: Text | None = None
    problem: Text | None = None
    q: Annotated[str, Meta(max_length=200, description="Words that stand in its title, problem or owner.")] | None = (
        None
    )
    sort: Order = Order.NUMBER


class IdeaFields(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What an idea says, by the names that its file has; null takes a field out, what is left out stays."""

    title: Text | UnsetType | None = UNSET
    problem: Text | UnsetType | None = UNSET
    challenger: Text | UnsetType | None = UNSET
    change: Text | UnsetType | None = UNSET
    because: Text | UnsetType | None = UNSET
    owner: Text | UnsetType | None = UNSET
    deadline: date | UnsetType | None = UNSET
    segments: list[Text] | UnsetType | None = UNSET
    smallest_gain: Money | UnsetType | None = UNSET
    expected_gain: tuple[Money, Money, Money] | UnsetType | None = UNSET
    per: Literal["period", "year"] | UnsetType | None = UNSET
    effort: Money | UnsetType | None = UNSET
    cost: Money | UnsetType | None = UNSET
    guardrails: dict[Text, Money] | UnsetType | None = UNSET

    def said(self) -> dict[str, Any]:
        """The fields that were given."""
        found = {name: value for name, value in structs.asdict(self).items() if value is not UNSET}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


class NewIdea(IdeaFields, kw_only=True):
    """What an idea says at first; what is left out can be said later."""

    title: Annotated[str, Meta(min_length=1, max_length=200)]


class IdeaEdit(IdeaFields, kw_only=True):
    """What an idea says differently."""

    knowingly: Annotated[
        bool, Meta(description="Whether what was locked may be said differently; it stands in the report then.")
    ] = False


class Locked(Struct, kw_only=True):
    """What counts as success, locked when research started, and what is said differently since."""

    digest: str
    criteria: Mapping[str, Any]
    deviations: list[str]


class IdeaAnswer(Struct, kw_only=True):
    """An idea: what it says, and where it stands."""

    number: int
    idea: Idea
    card: Card
    locked: bool
    deviations: list[str]


class Gate(Struct, kw_only=True):
    """A gate, and what it misses; it is open where that is nothing."""

    stage: Stage
    open: bool
    gaps: list[Gap]


class Recorded(Struct, kw_only=True):
    """What a stage left on record: when, by whom, and what it says."""

    version: int
    at: str
    by: str
    says: dict[str, Any]


_GATES: Mapping[Stage, Callable[[Project, Idea], Sequence[Gap]]] = {
    Stage.IDEA: lambda _, idea: missing_idea(idea),
    Stage.DATA: missing_data,
    Stage.RESEARCH: missing_research,
    Stage.ANALYSIS: missing_analysis,
}

_KEYS: Mapping[Order, Callable[[Card], Key]] = {
    Order.NUMBER: lambda card: (),
    Order.TITLE: lambda card: (card.title.casefold(),),
    Order.OWNER: lambda card: (card.owner.casefold(),),
    Order.STAGE: lambda card: (list(Stage).index(card.stage),),
    Order.DEADLINE: lambda card: (card.deadline.isoformat() if card.deadline else "9999",),
    Order.MOVED: lambda card: (card.at.isoformat() if card.at else "",),
}


def list_ideas(call: Call) -> Page[Card]:
    """The cards of the ideas that were asked for."""
    asked: IdeaQuery = call.query
    order = Order(asked.sort.removeprefix("-"))
    found = [card for card in call.cards.all() if _is_asked_for(card, asked)]
    return page(found, lambda card: (*_KEYS[order](card), card.number), asked, descending=asked.sort.startswith("-"))


def create_idea(call: Call) -> Answer:
    """Begins an idea."""
    new: NewIdea = call.body
    number = begin_idea(call.project, new.said()).number
    headers = {"location": f"{PREFIX}/projects/{call.project.name}/ideas/{number}"}
    return _shown(call, number, status=201, headers=headers)


def get_idea(call: Call) -> Answer:
    """One idea; its ETag is the edition of its text, which an edit names."""
    return _shown(call, call.number)


def change_idea(call: Call) -> Answer:
    """Says something of an idea differently, for who has seen its newest edition."""
    edit: IdeaEdit = call.body
    written = read_written(call.project, call.number)
    call.require_seen(_edition(call.cards.get(call.number), written))
    fields = {name: value for name, value in edit.said().items() if name != "knowingly"}
    edit_idea(call.project, call.number, fields, expect=written.edition, knowingly=edit.knowingly)
    return _shown(call, call.number)


def list_gates(call: Call) -> Page[Gate]:
    """Each gate that the idea has to pass, in the order of the walk."""
    idea = find_idea(call.project, call.number)
    found = {stage: list(gate(call.project, idea)) for stage, gate in _GATES.items()}
    gates = [Gate(stage=stage, open=not gaps, gaps=gaps) for stage, gaps in found.items()]
    return Page(items=gates, total=len(gates))


def get_criteria(call: Call) -> Locked:
    """What counts as success."""
    idea = find_idea(call.project, call.number)
    lock = read_lock(call.project, idea.key)
    if lock is None:
        raise NotFoundError(f"Nothing is locked for idea {idea.number} yet: research locks what counts as success.")
    return Locked(digest=lock.digest, criteria=lock.criteria, deviations=deviations(call.project, idea))


def list_overrides(call: Call) -> Page[dict[str, Any]]:
    """Every override that was ever asked for, the oldest first."""
    found: Sequence[Override] = overrides(call.project, find_idea(call.project, call.number))
    return Page(items=[one.to_dict() for one in found], total=len(found))


def get_data(call: Call) -> Recorded:
    """What the data stage answered."""
    record = _record(call, "data", "Run `shipworthy data {}`.")
    return _recorded(record, dict(record.body))


def get_evidence(call: Call) -> Recorded:
    """What research left behind, without the evidence itself."""
    record = _record(call, "research", "Run `shipworthy research {}`.")
    return _recorded(record, asdict(read_research(record)))


def get_verdict(call: Call) -> Recorded:
    """The verdict, as far as it may be shown."""
    record = _record(call, "verdict", "Run `shipworthy analyse {}`.")
    return _recorded(record, read_analysis(record).to_dict())


def get_report(call: Call) -> Response:
    """The report, as it was written."""
    idea = find_idea(call.project, call.number)
    path = call.project.root / REPORTS_FOLDER / f"{idea.key}-{idea.slug}.html"
    if not path.is_file():
        raise NotFoundError(f"Idea {idea.number} has no report yet. Write it with `shipworthy analyse {idea.number}`.")
    headers = {"content-security-policy": SANDBOX}
    return Response(path.read_bytes(), media_type="text/html", headers=headers)


def _is_asked_for(card: Card, asked: IdeaQuery) -> bool:
    exact = ((asked.stage, card.stage), (asked.owner, card.owner), (asked.problem, card.problem))
    if any(wanted is not None and wanted != has for wanted, has in exact):
        return False
    text = f"{card.number} {card.title} {card.problem} {card.owner}".casefold()
    return all(word in text for word in (asked.q or "").casefold().split())


def _shown(call: Call, number: int, **more: Any) -> Answer:
    written = read_written(call.project, number)
    lock, idea, card = read_lock(call.project, written.idea.key), written.idea, call.cards.get(number)
    shown = IdeaAnswer(
        number=number,
        idea=idea,
        card=card,
        locked=lock is not None,
        deviations=deviations(call.project, idea),
    )
    return Answer(value=shown, edition=_edition(card, written), **more)


def _edition(card: Card, written: Written) -> str:
    """Of its text, and of all else that is shown of it."""
    return f"{written.edition[:32]}-{card.seq}"


def _record(call: Call, kind: str, remedy: str) -> Record:
    idea = find_idea(call.project, call.number)
    record = call.project.records.get(kind, idea.key)
    if record is None:
        raise NotFoundError(f"Idea {idea.number} has no {kind} on record yet. {remedy.format(idea.number)}")
    return record


def _recorded(record: Record, says: dict[str, Any]) -> Recorded:
    return Recorded(version=record.version, at=record.at.isoformat(), by=record.by, says=says)


def _get(name: str, after: str, says: str, **more: Any) -> Endpoint:
    return Endpoint(name=name, method="GET", path=_PATH + after, permission=Permission.READ, says=says, **more)


ENDPOINTS = (
    _get(
        "ideas",
        "",
        "The ideas, each as the board shows it: filtered, in an order, page by page.",
        handler=list_ideas,
        query=IdeaQuery,
        answer=Page[Card],
    ),
    Endpoint(
        name="create_idea",
        method="POST",
        path=_PATH,
        permission=Permission.WRITE,
        says="Begins an idea.",
        handler=create_idea,
        body=NewIdea,
        answer=IdeaAnswer,
        status=201,
    ),
    Endpoint(
        name="edit_idea",
        method="PATCH",
        path=f"{_PATH}/{{number}}",
        permission=Permission.WRITE,
        says="Says something of an idea differently.",
        handler=change_idea,
        body=IdeaEdit,
        answer=IdeaAnswer,
        edits=True,
    ),
    _get("idea", "/{number}", "One idea: what it says, and where it stands.", handler=get_idea, answer=IdeaAnswer),
    _get("gates", "/{number}/gates", "Each gate, and what it misses.", handler=list_gates, answer=Page[Gate]),
    _get("criteria", "/{number}/criteria", "What counts as success, locked.", handler=get_criteria, answer=Locked),
    _get(
        "idea_overrides",
        "/{number}/overrides",
        "Every override of its verdicts that was asked for.",
        handler=list_overrides,
        answer=Page[dict[str, Any]],
    ),
    _get("examined", "/{number}/data", "What the data stage answered.", handler=get_data, answer=Recorded),
    _get("evidence", "/{number}/evidence", "What research left behind.", handler=get_evidence, answer=Recorded),
    _get(
        "verdict", "/{number}/verdict", "The verdict, as far as it may be shown.", handler=get_verdict, answer=Recorded
    ),
    _get(
        "report",
        "/{number}/report",
        "The report as a page, as it was written.",
        handler=get_report,
        media="text/html",
    ),
)
