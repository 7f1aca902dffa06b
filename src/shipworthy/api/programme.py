"""Over all ideas of a project: the standup, the backlog, the programme's figures, and questions in SQL."""

from __future__ import annotations

from collections.abc import Mapping
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
from shipworthy.programme.waiting import waits
from shipworthy.project.clock import now
from shipworthy.workspace.role import Permission
from shipworthy.workspace.told import Told, reckon

_PATH = "/projects/{project}"
Object = Mapping[str, Any]
Sql = Annotated[str, Meta(min_length=1, max_length=20_000)]
Name = Annotated[str, Meta(min_length=1, max_length=63)]


class StandupQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """From when on: a span such as 1d, or an instant; and how much of each part at most."""

    since: Annotated[str, Meta(max_length=40)] = "1d"
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


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
    since = since_of(call.query.since, now())  # what is no span is refused before anything is reckoned
    told = reckon(call.desk, waits, [call.project], is_patient=True)
    found = standup([call.desk.facts[call.project.name]], since, found=told.answer)
    return _answer(told, found.to_dict(call.query.limit) | {"is_unread": told.is_unread})


def get_backlog(call: Call) -> Answer:
    """The ideas that are not over, the best first."""
    told = reckon(call.desk, backlog, [call.project], is_patient=True)
    shown = page(enumerate(told.answer), lambda one: (one[0],), call.query)
    items = [line.to_dict() for _, line in shown.items]
    return _answer(told, Page(items=items, next=shown.next, total=shown.total))


def get_programme(call: Call) -> Answer:
    """What all ideas come to."""
    told = reckon(call.desk, programme, [call.project], is_patient=True)
    return _answer(told, told.answer.to_dict() | {"is_unread": told.is_unread})


def _answer(told: Told, value: Any) -> Answer:
    """The newest answer that is ready within a moment; the header Age says how many seconds old it is."""
    return Answer(value=value, headers={"age": str(max(0, int((now() - told.at).total_seconds()))) if told.at else "0"})


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
