"""One table of endpoints: what is in it, what follows from it, and that nobody is allowed more than it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.api.client import Client
from shipworthy.api.permissions import permission_table
from shipworthy.api.table import BY_NAME, ENDPOINTS
from shipworthy.cli.app import all_words, find_command
from shipworthy.project.role import Role
from shipworthy.web.remote import ANSWERED_HERE, NOT_REMOTE, REMOTE
from shipworthy.web.verbs import verbs
from shipworthy.workspace.job import File
from shipworthy.workspace.role import MAY
from tests.api.serving import Server

DOCS = Path(__file__).parents[2] / "docs" / "api.md"


def test_every_verb_is_in_the_api_or_says_why_not() -> None:
    """A verb of the command line is an endpoint, is answered by one, or stays there for a reason in a sentence."""
    assert set(all_words()) == {*REMOTE, *ANSWERED_HERE, *NOT_REMOTE}
    assert set(ANSWERED_HERE.values()) <= set(BY_NAME)
    assert all(why.endswith(".") for why in NOT_REMOTE.values())
    assert all(why.endswith(".") for remote in REMOTE.values() for why in remote.left_out.values())


@pytest.mark.parametrize("words", REMOTE)
def test_a_verb_takes_what_its_command_takes(words: str) -> None:
    """Each parameter of the command is a field of the same default and choices, or left out for a reason; there is no other."""
    verb, remote = verbs()[words.replace(" ", "-")], REMOTE[words]
    command = {parameter.name: parameter for parameter in find_command(words).params if parameter.name != "json_"}
    assert {str(one.name) for one in verb.parameters.values()} == command.keys() - remote.left_out.keys()
    assert remote.left_out.keys() <= command.keys()
    fields = {field.name: field for field in msgspec.structs.fields(verb.body)}
    for name, parameter in command.items():
        if name not in remote.left_out and not parameter.required:
            shown = parameter.to_info_dict()["default"]
            assert (fields[name].default or None) == (tuple(shown) if isinstance(shown, list) else shown or None)


TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=20)
SLY = st.one_of(TEXTS, st.sampled_from(["--json", "--", "-h", "--help", "--to=ship", "-1", "@file", "$(id)", "a\nb"]))


@pytest.mark.parametrize("name", sorted(verbs()))
def test_nothing_that_is_asked_becomes_an_option(name: str) -> None:
    """Whatever text is given, the command reads exactly that value back, and nothing else is set."""
    verb = verbs()[name]
    command = find_command(" ".join(verb.words))
    fields = {field.encode_name: field for field in msgspec.structs.fields(verb.body)}
    texts = [
        called
        for called, one in verb.parameters.items()
        if isinstance(one.type, type(click.STRING)) and one.name not in verb.remote.files and one.callback is None
    ]

    @settings(deadline=None)
    @given(st.data())
    def holds(data: Any) -> None:
        asked: dict[str, Any] = {
            called: 7 for called, field in fields.items() if verb.parameters[called].required and called not in texts
        }
        for called in texts:
            if verb.parameters[called].required or data.draw(st.booleans()):
                asked[called] = data.draw(SLY)
        body = msgspec.convert(asked, verb.body)
        words = [word for word in verb.task(body).words if not isinstance(word, File)]
        rest = words[len(verb.words) :]
        seen = command.make_context("x", list(rest)).params
        for called, one in verb.parameters.items():
            if called in asked:
                assert seen[str(one.name)] == asked[called]
        assert not any(
            seen[str(one.name)]
            for one in command.params
            if getattr(one, "is_flag", False)
            and one.name not in ("json_", "once")
            and not one.to_info_dict()["default"]
        )

    holds()


def test_no_endpoint_hides_behind_the_client_s_own_names() -> None:
    """Each endpoint can be called by its name, and no two have one name."""
    assert len(BY_NAME) == len(ENDPOINTS)
    assert not set(BY_NAME) & {*vars(Client), "project"}


def test_the_documentation_shows_the_table_as_it_is() -> None:
    """docs/api.md prints who may do what, as the table has it."""
    shown = re.search(r"<!-- permissions -->\n(.*?)\n<!-- end -->", DOCS.read_text(), re.DOTALL)
    assert shown is not None
    assert shown[1] == permission_table()


def test_who_may_ask_what(squad: tuple[Server, dict[str, str]]) -> None:
    """Each role gets in exactly where the table says so; a token that may only read reads; nobody else does anything."""
    server, tokens = squad
    for one in ENDPOINTS:
        path = "/api/v1" + re.sub(r"\{number\}", "1", one.path.replace("{project}", "kiosk"))
        path = re.sub(r"\{\w+\}", "none", path)
        body = None if one.body is None else {"no such field": 1}
        server.token = ""
        assert server.ask(one.method, path, body).status == 401, path
        server.token = "sw_" + "x" * 43
        assert server.ask(one.method, path, body).status == 401, path
        for role in Role:
            server.token = tokens[role]
            got = server.ask(one.method, path, body)
            assert (got.status != 403) == (role in MAY[one.permission]), (path, role, got)
            assert got.status < 500, (path, got)
        server.token = tokens["narrow"]
        assert (server.ask(one.method, path, body).status != 403) == (one.permission == "read"), path
    server.token = tokens[Role.ADMIN]
