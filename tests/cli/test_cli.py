"""The command line: every verb, its exit codes, one clear message for whatever goes wrong, and never a traceback."""

from __future__ import annotations

import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
import pytest

from shipworthy.analysis.analyse import analyse_idea
from shipworthy.cli.app import root
from shipworthy.data.examine import examine_data
from shipworthy.project import Project
from shipworthy.research.research import research_idea
from shipworthy.ship.rollout import Move, Phase, make_move, read_rollout
from tests.cli.typed import Said, typed

VERBS = sorted(root.list_commands(click.Context(root)))
NUMBERED = ("data", "research", "analyse", "ship")


def _shell(
    folder: Path, *words: str, env: Mapping[str, str] = MappingProxyType({}), **rest: Any
) -> subprocess.CompletedProcess[Any]:
    """Runs `python -m shipworthy WORDS` in a process of its own."""
    environment = {**os.environ, "SHIPWORTHY_USER": "tester", **env}
    command = [sys.executable, "-m", "shipworthy", *words]
    rest = {"capture_output": True, "text": True, **rest}
    return subprocess.run(command, cwd=folder, env=environment, check=False, timeout=60, **rest)


def _is_clear(said: Said) -> None:
    """One message, on stderr, without a traceback and without calling it our defect."""
    assert said.out == ""
    assert said.err.strip()
    assert "Traceback" not in said.err
    assert "defect" not in said.err


# The first screens


def test_help_lists_every_verb(tmp_path: Path):
    """Help needs no project, names all verbs with a line each, and says what shipworthy is for."""
    said = typed(tmp_path, "--help")
    assert said.code == 0
    assert "Is this idea worth shipping?" in said.out
    for verb in VERBS:
        assert any(line.split()[:1] == [verb] and len(line.split()) > 3 for line in said.out.splitlines()), verb
    assert typed(tmp_path, "-h").out == said.out


@pytest.mark.parametrize("verb", [*VERBS, "idea new", "idea show", "idea list"])
def test_every_verb_has_help(tmp_path: Path, verb: str):
    """Each verb explains itself and every option of its own, without a project."""
    said = typed(tmp_path, *verb.split(), "--help")
    assert said.code == 0
    command = root.get_command(click.Context(root), verb.split(maxsplit=1)[0])
    for word in verb.split()[1:]:
        command = command.get_command(click.Context(root), word)  # type: ignore[attr-defined]
    assert command.help
    for parameter in command.params:
        if parameter.param_type_name == "option":
            assert parameter.opts[0] in said.out
            assert parameter.help, f"{verb} {parameter.opts[0]} has no help"


def test_alone_in_an_empty_folder_it_says_how_to_begin(tmp_path: Path):
    """The first screen of a newcomer names the two ways to begin, and is no error."""
    said = typed(tmp_path)
    assert (said.code, said.err) == (0, "")
    assert "shipworthy demo" in said.out
    assert "shipworthy init" in said.out
    assert typed(tmp_path, "status", "--json").json == []


def test_alone_in_a_project_it_says_what_comes_next(bakery: Project):
    """Each idea stands there with its stage and the command to type; following these commands walks the idea."""
    first = typed(bakery.root)
    assert first.code == 0
    assert first.out.splitlines()[0].split() == ["idea", "title", "stage", "stands", "next"]
    walked = []
    for _ in range(4):
        [row] = typed(bakery.root, "status", "--json").json
        walked.append(row["next"])
        if row["next"] == "shipworthy ship 1":
            break
        assert typed(bakery.root, *row["next"].split()[1:]).code == 0
    assert walked == ["shipworthy data 1", "shipworthy research 1", "shipworthy analyse 1", "shipworthy ship 1"]
    assert (bakery.root / "reports" / "0001-same-weekday.html").is_file()


def test_an_unknown_verb_is_said(tmp_path: Path):
    """A verb that does not exist ends with exit code 2 and a hint."""
    said = typed(tmp_path, "explode")
    assert said.code == 2
    assert "No such command 'explode'" in said.err


def test_the_version_is_told(tmp_path: Path):
    """--version tells name and version."""
    said = typed(tmp_path, "--version")
    assert (said.code, said.out.split()[0]) == (0, "shipworthy")


def test_completion_is_there_for_the_shell(tmp_path: Path):
    """The shell gets its completion script, and with it the verbs."""
    script = _shell(tmp_path, env={"_SHIPWORTHY_COMPLETE": "bash_source"})
    assert script.returncode == 0
    assert "complete -o nosort" in script.stdout
    asked = {"_SHIPWORTHY_COMPLETE": "bash_complete", "COMP_WORDS": "shipworthy res", "COMP_CWORD": "1"}
    assert _shell(tmp_path, env=asked).stdout.split()[0] == "plain,research"


# What goes wrong


@pytest.mark.parametrize(
    "words",
    [
        *[[verb, "1"] for verb in NUMBERED],
        ["idea", "new", "Some title"],
        ["idea", "show", "1"],
        ["idea", "list"],
        ["history"],
        ["ledger"],
        ["compare"],
        ["rollback", "bakery"],
        ["serve"],
    ],
    ids=" ".join,
)
def test_no_project_is_said_by_every_verb(tmp_path: Path, words: list[str]):
    """Outside a project every verb but init, demo and status says where it looked and what to do."""
    said = typed(tmp_path, *words)
    assert said.code == 3
    assert said.err.startswith("Not found: No shipworthy.toml in")
    _is_clear(said)


@pytest.mark.parametrize("verb", [*NUMBERED, "idea show"])
@pytest.mark.parametrize(
    ("number", "code"), [("9", 3), ("99999999999999999999", 3), ("0", 3), ("x", 2), ("1.5", 2), ("-1", 2), ("", 2)]
)
def test_a_wrong_number_is_said_by_every_verb(bakery: Project, verb: str, number: str, code: int):
    """A number without an idea is not found; what is no number is a usage error."""
    said = typed(bakery.root, *verb.split(), number)
    assert said.code == code
    _is_clear(said)
    if code == 3:
        assert said.err == f"Not found: No idea {int(number)}. There is: 1. Begin one with `shipworthy idea new`.\n"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["research", "1"], 4, "have not been examined"),
        (["analyse", "1"], 4, "have not been examined"),
        (["ship", "1"], 4, "have not been examined"),
        (["ship", "1", "--share", "0"], 2, "share"),
        (["ship", "1", "--share", "nan"], 2, "share"),
        (["ship", "1", "--share", "half"], 2, "share"),
        (["rollback", "nothing"], 3, "No rollout of problem 'nothing'"),
        (["rollback"], 2, "Missing argument"),
        (["history", "nothing"], 3, "No rollout of problem 'nothing'"),
        (["history", "--at", "yesterday"], 2, "'yesterday' is no instant. Write it like 2026-03-01T12:00."),
        (["history", "--at", "2026-02-30"], 2, "is no instant"),
        (["history", "--at", "0001-01-01T00:00+14:00"], 2, "is no instant"),
        (["history", "--at", "9999-12-31T23:59-14:00"], 2, "is no instant"),
        (["idea", "new"], 2, "Missing argument"),
        (["idea", "new", "!!!"], 2, "gives no file name"),
        (["idea", "new", "x", "--smallest-gain", "much"], 2, "smallest-gain"),
        (["idea", "new", "x\udcff"], 2, "UTF-8"),
        (["serve", "nothing"], 3, "No problem 'nothing'"),
        (["serve", "--port", "99999"], 2, "--port"),
        (["serve", "--port", "0"], 2, "--port"),
        (["serve", "--workers", "0"], 2, "--workers"),
        (["data"], 2, "Give the NUMBER of an idea, or --draft-contract, or --diff-contract"),
        (["data", "1", "--draft-contract"], 2, "one of them"),
        (["data", "1", "--problem", "bakery"], 2, "an idea names its problem"),
        (["data", "--draft-contract"], 5, "bakery.toml is there already, and nothing was written"),
        (["data", "--draft-contract", "--problem", "bakry"], 3, "Did you mean 'bakery'?"),
        (["data", "--draft-contract", "--bad-rows", "x.csv"], 2, "--bad-rows belongs to the NUMBER"),
        (["data", "--diff-contract", "nowhere.toml"], 2, "nowhere.toml cannot be read"),
        (["data", "1", "--bad-rows", "."], 2, "is a directory"),
        (["data", "1", "--bad-rows", "nowhere/bad.csv"], 6, "nowhere"),
        (["compare", "1", "9"], 3, "No idea 9"),
        (["compare", "--problem", "bakry"], 3, "Did you mean 'bakery'?"),
        (["compare", "--sort", "luck"], 2, "--sort"),
        (["compare", "--decision", "perhaps"], 2, "--decision"),
        (["compare", "--csv", "."], 2, "is a directory"),
        (["compare", "--csv", "nowhere/ideas.csv"], 6, "nowhere"),
        (["init", "shipworthy.toml"], 2, "is a file"),
        (["init", "."], 5, "already has"),
        (["demo", "."], 5, "was not made by the demo"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else None,
)
@pytest.mark.timeout(60)
def test_bad_input_is_one_clear_message(bakery: Project, words: list[str], code: int, says: str):
    """Whatever is wrong: the documented exit code, one message on stderr that names it, and no traceback."""
    before = sorted(path.name for path in bakery.root.rglob("*.toml"))
    said = typed(bakery.root, *words)
    assert said.code == code, said.err
    assert says in said.err
    _is_clear(said)
    assert sorted(path.name for path in bakery.root.rglob("*.toml")) == before


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("shipworthy.toml", "[projekt]", "Did you mean 'project'?"),
        ("shipworthy.toml", "[project", "is not valid TOML"),
        ("ideas/0001-same-weekday.toml", "titel = 1", "titel is unknown"),
        ("ideas/0001-twin.toml", "title = 'x'", "both have number 1"),
        ("contracts/bakery.toml", "[columns", "is not valid TOML"),
        (
            "contracts/bakery.toml",
            "[columns.bred]\ntype = 'text'",
            "contracts/bakery.toml: columns.bred: No column 'bred'",
        ),
        ("problem.py", "1 / 0", "problem.py:1: ZeroDivisionError"),
        ("problem.py", "def", "problem.py:1: SyntaxError"),
        ("problem.py", "raise SystemExit", "problem.py:1: SystemExit"),
        ("problem.py", "bakery = 1", "is a int, not a shipworthy.Problem"),
    ],
)
def test_a_broken_file_of_the_project_is_named(bakery: Project, file: str, content: str, says: str):
    """What is wrong in a file of the project is said with the file, with exit code 2."""
    (bakery.root / file).write_text(content)
    said = typed(bakery.root, "data", "1")
    assert said.code == 2
    assert says in said.err
    _is_clear(said)


def test_a_refusal_is_an_answer_with_exit_code_4(bakery: Project):
    """Not testable is an answer on stdout, with the gap and its remedy; the exit code says that the gate stays closed."""
    idea = bakery.root / "ideas" / "0001-same-weekday.toml"
    idea.write_text(idea.read_text().replace("same_weekday", "yesterday"))
    said = typed(bakery.root, "data", "1")
    assert (said.code, said.err) == (4, "")
    assert "refused: not testable" in said.out
    assert "The challenger is the champion itself. Name another policy as challenger." in said.out
    assert typed(bakery.root, "data", "1", "--json").code == 4


def test_a_defect_is_admitted_and_its_details_kept(bakery: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """An error that nobody foresaw is one sentence and a file with the details, with exit code 1; nobody sees a traceback."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def fails(project: Project) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr("shipworthy.cli.status.list_ideas", fails)
    said = typed(bakery.root)
    assert said.code == 1
    assert "defect of shipworthy, not of yours: RuntimeError: unforeseen" in said.err
    assert "Traceback" not in said.err
    [kept] = tmp_path.glob("shipworthy-*.log")
    assert str(kept) in said.err
    assert "in fails" in kept.read_text()


def test_the_traceback_is_there_for_who_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With SHIPWORTHY_TRACEBACK an error of ours is raised as it is."""
    monkeypatch.setenv("SHIPWORTHY_TRACEBACK", "1")
    with pytest.raises(Exception, match=r"No shipworthy\.toml"):
        typed(tmp_path, "ledger")


def test_an_interrupt_ends_with_130(bakery: Project, monkeypatch: pytest.MonkeyPatch):
    """Ctrl-C is said calmly, and what was finished is kept."""

    def interrupted(project: Project) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("shipworthy.cli.status.list_ideas", interrupted)
    said = typed(bakery.root)
    assert (said.code, said.out) == (130, "")
    assert "Interrupted. What was finished is kept" in said.err


# Stores in trouble


def test_a_locked_store_is_said(bakery: Project, monkeypatch: pytest.MonkeyPatch):
    """Another program that holds the records: writing ends with exit code 6 and says so; reading goes on."""
    monkeypatch.setattr("shipworthy.store.sqlite._BUSY_MS", 50)
    _ = bakery.records
    holder = sqlite3.connect(bakery.root / ".shipworthy" / "records.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        said = typed(bakery.root, "idea", "new", "While locked")
        assert said.code == 6
        assert "database is locked" in said.err
        assert "nothing was changed" in said.err
        _is_clear(said)
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert [path.name for path in (bakery.root / "ideas").iterdir()] == ["0001-same-weekday.toml"]
    assert typed(bakery.root, "idea", "new", "After that").code == 0


def test_a_store_that_is_no_database_is_said(bakery: Project):
    """Garbage in the place of the records ends with exit code 6 and the file's name."""
    (bakery.root / ".shipworthy").mkdir()
    (bakery.root / ".shipworthy" / "records.db").write_bytes(b"no database" * 1000)
    said = typed(bakery.root)
    assert said.code == 6
    assert "records.db does not answer: file is not a database" in said.err
    _is_clear(said)
    (bakery.root / ".shipworthy" / "records.db").unlink()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="/proc is the place where even root cannot write")
@pytest.mark.parametrize("words", [["status"], ["idea", "new", "x"], ["data", "1"], ["history"]], ids=" ".join)
def test_a_store_that_cannot_be_written_is_said(bakery: Project, words: list[str]):
    """A store on a read-only place ends with exit code 6, whatever was asked."""
    (bakery.root / "shipworthy.toml").write_text(
        '[project]\nproblems = ["problem:bakery"]\n[store]\nrecords = "/proc/shipworthy/records.db"\nobjects = "/proc/objects"\n'
    )
    said = typed(bakery.root, *words)
    assert said.code == 6
    assert "does not answer" in said.err
    _is_clear(said)


@pytest.mark.parametrize(
    ("words", "room"), [(["idea", "new", "No room"], 0), (["data", "1"], 6_000)], ids=["idea", "data"]
)
def test_a_full_disk_loses_nothing(bakery: Project, words: list[str], room: int):
    """Where no file may grow any more, the verb ends with exit code 6, and the same command succeeds when there is room."""
    typed(bakery.root, "status")

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

    full = _shell(bakery.root, *words, preexec_fn=no_room)
    assert full.returncode == 6, full.stderr
    assert "Traceback" not in full.stderr
    assert full.stderr.strip()
    assert [path.stat().st_size > 0 for path in (bakery.root / "ideas").iterdir()] == [True]
    assert _shell(bakery.root, *words).returncode == 0


# Pipes, programs and terminals


def test_every_verb_speaks_json(bakery: Project):
    """With --json each verb prints one JSON document that a strict parser reads, on the whole walk."""
    begun = typed(bakery.root, "idea", "new", "Wörter für alle", "--json").json
    assert begun["number"] == 2
    assert typed(bakery.root, "idea", "show", "2", "--json").json["title"] == "Wörter für alle"
    assert [row["idea"] for row in typed(bakery.root, "idea", "list", "--json").json] == [1, 2]
    assert typed(bakery.root, "data", "1", "--json").json["is_testable"] is True
    assert typed(bakery.root, "research", "1", "--json").json["periods"] == 267
    judged = typed(bakery.root, "analyse", "1", "--no-report", "--json").json
    assert judged["decision"] == judged["verdict"]["decision"] == "ship"
    assert judged["per_year"]["low"] < judged["per_year"]["gain"] < judged["per_year"]["high"]
    for verb in ("history", "ledger"):
        assert typed(bakery.root, verb, "--json").json == []
    make_move(bakery, "bakery", None, Move(phase=Phase.LIVE, champion="a" * 16, why="the baseline"))
    [row] = typed(bakery.root, "history", "bakery", "--at", "2999-01-01", "--json").json
    assert (row["phase"], row["idea"], row["champion"]) == ("live", None, "a" * 16)
    assert typed(bakery.root, "history", "--at", "1999-01-01T00:00+01:00").out == "Nothing served then.\n"


def test_a_rollback_is_told(bakery: Project):
    """rollback says what serves from now on, and why."""
    move = Move(phase=Phase.SHADOW, champion="a" * 16, challenger="b" * 16, idea="0001", why="x")
    make_move(bakery, "bakery", None, move)
    said = typed(bakery.root, "rollback", "bakery", "--why", "complaints", "--json")
    assert (said.json["phase"], said.json["idea"]) == ("rolled back", "0001")
    assert read_rollout(bakery, "bakery").why == "complaints"
    assert typed(bakery.root, "rollback", "bakery").code == 2


def test_infinity_is_null_in_json(bakery: Project, monkeypatch: pytest.MonkeyPatch):
    """Where a figure is not known yet its ends are infinite, which JSON cannot say."""
    rows = [{"low": float("-inf"), "high": float("nan"), "deep": [{"x": float("inf")}]}]
    monkeypatch.setattr("shipworthy.cli.status.list_ideas", lambda project: rows)
    monkeypatch.setattr("shipworthy.cli.status.row_of", lambda project, row: row)
    assert typed(bakery.root, "status", "--json").json == [{"low": None, "high": None, "deep": [{"x": None}]}]


def test_in_a_pipe_output_is_plain(bakery: Project):
    """No colours, no boxes and no progress bars in a pipe: one line per idea, and nothing on stderr."""
    piped = _shell(bakery.root)
    assert piped.returncode == 0
    assert piped.stderr == ""
    assert "\x1b" not in piped.stdout
    assert len(piped.stdout.splitlines()) == 2


def test_a_reader_that_goes_away_is_no_error(bakery: Project):
    """`shipworthy | head -0` ends without a word, with exit code 1."""
    reader, writer = os.pipe()
    os.close(reader)
    gone = _shell(bakery.root, "idea", "list", capture_output=False, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (gone.returncode, gone.stderr) == (1, "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_of_another_encoding_is_no_error(bakery: Project, encoding: str):
    """Letters that a terminal lacks are written by their number; JSON stays JSON."""
    idea = bakery.root / "ideas" / "0001-same-weekday.toml"
    idea.write_text(idea.read_text().replace("yesterday", "日曜日 €"), encoding="utf-8")
    plain = _shell(bakery.root, env={"PYTHONIOENCODING": encoding}, text=False)
    assert (plain.returncode, plain.stderr) == (0, b"")
    told = _shell(bakery.root, "idea", "show", "日", env={"PYTHONIOENCODING": encoding}, text=False)
    assert told.returncode == 2
    assert b"Traceback" not in told.stderr
    if encoding == "latin-1":
        document = _shell(bakery.root, "status", "--json", env={"PYTHONIOENCODING": encoding})
        assert "\\u65e5" in document.stdout


# Beginning


def test_init_lays_a_project_that_works(tmp_path: Path):
    """What init lays is a project whose first idea walks to a verdict to ship."""
    said = typed(tmp_path, "init", "new/place")
    assert said.code == 0
    assert "cd new/place && shipworthy data 1" in said.out
    place = tmp_path / "new" / "place"
    for verb in ("data", "research"):
        assert typed(place, verb, "1").code == 0
    assert "ship" in typed(place, "analyse", "1", "--no-report").out


def test_init_writes_nothing_where_something_is(tmp_path: Path):
    """A file of one's own is not overwritten, and nothing else is laid beside it."""
    (tmp_path / "problem.py").write_text("mine")
    said = typed(tmp_path, "init")
    assert said.code == 5
    assert "already has problem.py. Nothing was written" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["problem.py"]


def test_idea_new_tells_near_duplicates_and_what_is_missing(bakery: Project):
    """A title that was there before is told, and so is every field that is still to be written."""
    said = typed(bakery.root, "idea", "new", "Bake for the weekday, not for yesterday!")
    assert said.code == 0
    assert "Idea 1 says nearly the same: 'Bake for the weekday, not for yesterday'" in said.out
    assert "The idea names no problem." in said.out
    assert "edit ideas/0002-bake-for-the-weekday-not-for-yesterday.toml" in said.out


def test_bad_rows_are_written_where_asked(bakery: Project):
    """The rows that the data stage set apart go to a CSV file, with a reason each."""
    problem = bakery.root / "problem.py"
    problem.write_text(
        problem.read_text().replace('"demand": int(', '"demand": None if i == 3 and mean == 25 else float(')
    )
    text = problem.read_text().replace("for i in range(400)]", "for i in range(400)]\n    days.append(days[-1])")
    problem.write_text(text.replace("for day in days", "for i, day in enumerate(days)"))
    said = typed(bakery.root, "data", "1", "--bad-rows", "bad.csv")
    assert said.code == 0, said.err
    assert "rows are set apart" in said.out
    lines = (bakery.root / "bad.csv").read_text().splitlines()
    assert "reason" in lines[0]
    assert len(lines) > 1


def test_a_contract_is_drafted_and_compared(bakery: Project):
    """A draft is written where there is none; what would refuse rows that were good ends the comparison with exit code 4."""
    path = bakery.root / "contracts" / "bakery.toml"
    path.rename(bakery.root / "old.toml")
    assert typed(bakery.root, "data", "--diff-contract", "old.toml").code == 3
    drafted = typed(bakery.root, "data", "--draft-contract", "--problem", "bakery", "--json")
    assert (drafted.code, drafted.json["text"]) == (0, path.read_text())
    assert drafted.json["columns"]["bread"]["one_of"] == ["rye", "spelt", "white"]
    assert typed(bakery.root, "data", "1").code == 0

    told = typed(bakery.root, "data", "--diff-contract", "old.toml")
    assert told.code == 4
    assert "breaks rows: columns.demand.type is integer instead of number" in told.out
    back = typed(bakery.root, "data", "--diff-contract", "contracts/bakery.toml", "--json")
    assert (back.code, back.json) == (0, {"breaks": False, "differences": []})


def test_a_verdict_to_stop_ends_with_exit_code_4(bakery: Project):
    """A verdict that does not ship keeps the gate closed, and says why."""
    problem = bakery.root / "problem.py"
    problem.write_text(problem.read_text().replace("* 1.1).round()", "* 0.1).round()"))
    examine_data(bakery, 1)
    research_idea(bakery, 1)
    assert analyse_idea(bakery, 1).verdict.decision == "stop"
    said = typed(bakery.root, "analyse", "1", "--no-report")
    assert said.code == 4
    assert "loses money" in said.out
    shipped = typed(bakery.root, "ship", "1")
    assert shipped.code == 4
    assert "The verdict is: stop." in shipped.err
    shutil.rmtree(bakery.root / "__pycache__", ignore_errors=True)


def test_a_solver_that_takes_the_process_down_is_named_by_its_line(tmp_path: Path):
    """Nothing can be caught there; the faulting line of the project's own code is what helps."""
    assert typed(tmp_path, "init").code == 0
    problem = tmp_path / "problem.py"
    crash = "        __import__('ctypes').string_at(0)\n"
    problem.write_text(problem.read_text().replace("        same = now.past", crash + "        same = now.past"))
    fallen = _shell(tmp_path, "data", "1")
    assert fallen.returncode < 0
    assert re.search(r'Segmentation fault.*problem\.py", line \d+ in decide', fallen.stderr, re.DOTALL)
