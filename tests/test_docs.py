"""The documentation is run: every example of it gives what it says, and nothing of the face is left out."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import click
import pytest

import shipworthy
from shipworthy import errors
from shipworthy.cli.app import root
from tests.cli.typed import typed
from tests.series import clear_gain, evidence

DOCS = Path(__file__).parents[1] / "docs"
COMMANDS = (DOCS / "cli.md").read_text(encoding="utf-8")
REFERENCE = (DOCS / "reference.md").read_text(encoding="utf-8")

VARIES = {
    r"\b[0-9a-f]{16,64}\b": "<digest>",
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d": "<instant>",
    r"\bon \d{4}-\d\d-\d\d": "on <day>",
    r"\d+\.\d ms a decision": "<time> a decision",
    r"\d of 2 blocks; .*": "<blocks>",
    r"\d+ of \d+ things; (.*)": r"<records>; \1",
    r"\d+, all there": "<objects>, all there",
    r"\d+:<digest>": "<head>",
}


def _commands(group: click.Command, name: str = "") -> dict[str, click.Command]:
    if not isinstance(group, click.Group):
        return {name: group}
    context = click.Context(group)
    below = {verb: group.get_command(context, verb) for verb in group.list_commands(context)}
    found: dict[str, click.Command] = {}
    for verb, command in below.items():
        assert command is not None
        found |= _commands(command, f"{name} {verb}".strip())
    return found


def _section(page: str, title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, flags=re.MULTILINE | re.DOTALL)
    assert found, f"no section {title!r}"
    return found[1]


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", _commands(root))
def test_every_verb_and_option_is_documented(name: str):
    """Each verb has a section in docs/cli.md with an example, and each of its options stands there."""
    command = _commands(root)[name]
    section = _section(COMMANDS, name.split(maxsplit=1)[0])
    assert re.search(rf"^(\$ )?shipworthy {name}", section, flags=re.MULTILINE) or f"`{name}`" in section
    for parameter in command.params:
        for option in parameter.opts if isinstance(parameter, click.Option) else []:
            assert option in section or option == "--json", f"{name} {option}"
    assert "--json" in COMMANDS


def test_every_exit_code_is_documented():
    """The table of exit codes holds exactly the codes that the errors, success, defect and an interrupt end with."""
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ShipworthyError)
    ]
    documented = re.findall(r"^\| (\d+) \|", _section(COMMANDS, "Exit codes"), flags=re.MULTILINE)
    assert set(map(int, documented)) == {0, 1, 130} | {kind.exit_code for kind in kinds}


def test_every_environment_variable_is_documented():
    """Each variable that the package reads for its users stands in the table, and no other one."""
    source = Path(shipworthy.__file__).parent
    read = {name for path in source.rglob("*.py") for name in re.findall(r'"(SHIPWORTHY_[A-Z_]+)"', path.read_text())}
    internal = {"SHIPWORTHY_LIVE", "SHIPWORTHY_WORKSPACE"}  # what `serve` and `server` tell their own workers
    documented = set(re.findall(r"^\| `(SHIPWORTHY_[A-Z_]+)`", _section(COMMANDS, "Environment"), flags=re.MULTILINE))
    assert documented == read - internal


def test_every_example_of_the_commands_gives_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Typed one after the other in an empty folder, the examples of docs/cli.md print what stands there."""
    monkeypatch.setenv("SHIPWORTHY_USER", "ada")
    monkeypatch.setenv("COLUMNS", "100")
    trial = {"period": "day", "unit": "store", "value_champion": "control", "value_challenger": "treatment"}
    evidence(clear_gain(periods=120)).rename(trial).write_csv(tmp_path / "trial.csv")
    examples = _blocks(COMMANDS, "console")
    assert len(examples) > 12
    for example in examples:
        command, _, printed = example.partition("\n")
        said = typed(tmp_path, *shlex.split(command)[2:])
        assert _steady(said.out + said.err) == _steady(printed), command


def _steady(text: str) -> str:
    for varies, instead in VARIES.items():
        text = re.sub(varies, instead, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


@pytest.mark.parametrize("name", shipworthy.__all__)
def test_every_public_name_has_its_section(name: str):
    """Each name of the front door has a section in docs/reference.md, with a line on it and an example that uses it."""
    section = _section(REFERENCE, f"`{name}`")
    assert section.strip()[0] not in {"`", "#"}
    assert any(re.search(rf"\bsw\.{name}\b", block) for block in _blocks(section, "python"))


def test_the_reference_names_nothing_else():
    """Whatever has a section in docs/reference.md is a public name."""
    assert set(re.findall(r"^## `(\w+)`$", REFERENCE, flags=re.MULTILINE)) == set(shipworthy.__all__)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what MLflow stands on
@pytest.mark.parametrize(
    ("page", "fewest"), [("reference.md", 30), ("tuning.md", 10), ("live-trials.md", 15), ("verdict.md", 5)]
)
def test_every_python_example_of_a_page_gives_what_it_says(
    page: str, fewest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Run one after the other in an empty folder, the examples of the page give what stands there."""
    monkeypatch.chdir(tmp_path)
    examples = "\n".join(_blocks((DOCS / page).read_text(encoding="utf-8"), "python"))
    test = doctest.DocTestParser().get_doctest(examples, {}, page, f"docs/{page}", 0)
    assert len(test.examples) > fewest
    reported: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert runner.run(test, out=reported.append).failed == 0, "".join(reported)
