"""Over all ideas of a project: the standup, the backlog, the programme's figures, and questions in SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from msgspec import Meta, Struct

from shipworthy.api.endpoint import Answer, Call, Endpoint, Page
from shipworthy.api.paging import PageQuery, page
from shipworthy.errors import InvalidInputError
from shipworthy.programme.ask import ask
from shipworthy.programme.backlog import backlog
from shipworthy.programme.limits import Limits
from shipworthy.programme.queries import find_queries, read_query, save_query
from shipworthy.programme.standup import since_of, standup
from shipworthy.programme.statistics import programme
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.workspace.bulk import in_bulk
from shipworthy.workspace.role import Permission

_PATH = "/projects/{project}"
_STANDUP_LASTS_S = 300.0
Object = Mapping[str, Any]
Sql = Annotated[str, Meta(min_length=1, max_length=20_000)]
Name = Annotated[str, Meta(min_length=1, max_length=63)]


class StandupQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """From when on: a span such as 1d, or an instant."""

    since: Annotated[str, Meta(max_length=40)] = "1d"


class Question(Struct, forbid_unknown_fields=True, kw_only=True):
    """A question in SQL, or the name of a saved one, and what it may take."""

    sql: Sql | None = None
    saved: Name | None = None
    rows: Annotated[int, Meta(ge=1, le=100_000)] = 10_000
    seconds: Annotated[float, Meta(gt=0, le=60)] = 20.0


class SavedQuestion(Struct, forbid_unknown_fields=True, kw_only=True):
    """A question that gets a name, and what it tells."""

    name: Name
    sql: Sql
    why: Annotated[str, Meta(min_length=1, max_length=1_000)]


def get_standup(call: Call) -> Answer:
    """What moved, what waits for whom, what is at risk."""
    span = call.query.since
    since_of(span, now())  # what is no span is refused before anything is reckoned

    def reckon(project: Project) -> Object:
        return standup([project], since_of(span, now()), stands=lambda _: call.cards.all()).to_dict()

    return _reckoned(call, f"standup {span}", reckon, _STANDUP_LASTS_S)


def get_backlog(call: Call) -> Answer:
    """The ideas that are not over, the best first."""
    found = _reckoned(call, "backlog", lambda project: backlog([project], stands=lambda _: call.cards.all()))
    shown = page(enumerate(found.value), lambda one: (one[0],), call.query)
    items = [line.to_dict() for _, line in shown.items]
    return replace(found, value=Page(items=items, next=shown.next, total=shown.total))


def get_programme(call: Call) -> Answer:
    """What all ideas come to."""
    return _reckoned(
        call, "programme", lambda project: programme([project], stands=lambda _: call.cards.all()).to_dict()
    )


def _reckoned(call: Call, what: str, reckon: Callable[[Project], Any], lasts_s: float = 3600.0) -> Answer:
    """The newest answer that is ready within a moment; the header Age says how many seconds old it is."""
    project = call.project
    stamp = (project.records.head().seq, int(now().timestamp() // lasts_s))
    found = call.desk.behind.answer(("api", what, project.space), stamp, lambda: reckon(in_bulk(project)))
    return Answer(value=found.answer, headers={"age": str(max(0, int((now() - found.at).total_seconds())))})


def answer_question(call: Call) -> Object:
    """The rows that a question gives."""
    asked: Question = call.body
    if (asked.sql is None) == (asked.saved is None):
        raise InvalidInputError("Give sql, or the name of a saved question: one of them.")
    sql = asked.sql if asked.sql is not None else read_query(call.project, str(asked.saved)).sql
    limits = Limits(seconds=asked.seconds, rows=asked.rows)
    with call.desk.questions.of(call.principal.name):
        return ask([call.project], sql, limits=limits).to_dict()


def list_queries(call: Call) -> Page[Object]:
    """The questions that have a name."""
    found = [query.to_dict() for query in find_queries(call.project)]
    return page(found, lambda one: (str(one["name"]),), call.query)


def keep_query(call: Call) -> Object:
    """Saves a question."""
    new: SavedQuestion = call.body
    return save_query(call.project, new.name, new.sql, new.why).to_dict()


def _endpoint(name: str, method: str, path: str, permission: Permission, says: str, **more: Any) -> Endpoint:
    return Endpoint(name=name, method=method, path=_PATH + path, permission=permission, says=says, **more)


ENDPOINTS = (
    _endpoint(
        "standup",
        "GET",
        "/standup",
        Permission.READ,
        "What moved, what waits for whom, and what is at risk in money.",
        handler=get_standup,
        query=StandupQuery,
        answer=Object,
    ),
    _endpoint(
        "backlog",
        "GET",
        "/backlog",
        Permission.READ,
        "The ideas that are not over, by expected value over cost.",
        handler=get_backlog,
        query=PageQuery,
        answer=Page[Object],
    ),
    _endpoint(
        "programme",
        "GET",
        "/programme",
        Permission.READ,
        "What all ideas of the project come to.",
        handler=get_programme,
        answer=Object,
    ),
    _endpoint(
        "ask",
        "POST",
        "/ask",
        Permission.ASK,
        "Asks records, evidence and logs in SQL; a question only reads.",
        handler=answer_question,
        body=Question,
        answer=Object,
        arguments=("sql",),
    ),
    _endpoint(
        "queries",
        "GET",
        "/queries",
        Permission.READ,
        "The questions that have a name.",
        handler=list_queries,
        query=PageQuery,
        answer=Page[Object],
    ),
    _endpoint(
        "save_query",
        "POST",
        "/queries",
        Permission.ASK,
        "Saves a question under a name.",
        handler=keep_query,
        body=SavedQuestion,
        answer=Object,
    ),
)
