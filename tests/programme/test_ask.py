"""Ask: a question gets an answer from what it is given, and can do nothing else whatever it says."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import polars as pl
import pytest

from shipworthy.errors import InvalidInputError, NotFoundError, UnavailableError
from shipworthy.live.shadow.walls import NO_BYTES, WHOLE
from shipworthy.log.compaction import compact
from shipworthy.programme.answer_plot import draw_answer
from shipworthy.programme.ask import Answer, ask
from shipworthy.programme.limits import Limits
from shipworthy.programme.queries import OWN, find_queries, read_query, save_query
from shipworthy.project import Project, open_project
from shipworthy.store import Change
from shipworthy.workspace.questions import Questions
from tests.cli.typed import typed
from tests.full_disk import files_end_at
from tests.ship import kiosk

SMALL = Limits(seconds=2.0, megabytes=128)


def answered(project: Project, sql: str, **limits: float) -> Answer:
    """The answer to a question over one project."""
    return ask([project], sql, limits=Limits(**limits))  # type: ignore[arg-type]


def log_some(project: Project, days: int, first: int = 1) -> None:
    """Logs decisions and outcomes of so many days."""
    named = [f"2026-01-{day:02d}" for day in range(first, first + days)]
    kiosk.append(project, "decisions", [kiosk.entry(day, {"champion": "r1"}, {"champion": 5.0}) for day in named])
    kiosk.append(project, "outcomes", [kiosk.outcome(day, demand=40) for day in named])


def test_every_table_answers_with_what_the_project_knows(walked: Project):
    """Ideas, verdicts, evidence, records and logs can be joined; an answer has types, rows and says what was left off."""
    log_some(walked, 3)
    sql = (
        "select i.idea, v.decision, (select count(*) from evidence e where e.idea = i.idea) as pairs, "
        "(select count(*) from decisions) as decisions, (select sum((row->>'demand')::int) from outcomes) as demand, "
        "(select count(*) from overrides) as overrides, (select count(*) from rollouts) as moves, "
        "(select count(*) from records where kind = 'verdict') as verdicts from ideas i left join verdicts v using (idea) "
        "order by 1"
    )
    found = answered(walked, sql)
    assert found.frame.rows() == [(1, "ship", 160, 3, 240, 0, 0, 1), (2, None, 0, 3, 240, 0, 0, 1)]
    assert found.types[:2] == ("BIGINT", "VARCHAR")
    assert not found.truncated
    some = answered(walked, "select * from evidence", rows=7)
    assert (some.frame.height, some.truncated) == (7, True)
    json.dumps(some.to_dict(), allow_nan=False)


def test_a_log_answers_the_same_before_and_after_it_is_compacted(walked: Project):
    """What is in segments and what is in the archive are one table, and a torn line is no row of it."""
    log_some(walked, 3)
    sql = "select instant, period, arm, release, rung, status, rows from decisions order by period"
    with (walked.log_folder / "kiosk" / "decisions-x.jsonl").open("a") as segment:
        segment.write('{"id": "torn", "at": "2026')
    before = answered(walked, sql).frame
    assert before.height == 3
    assert before["release"].to_list() == ["r1"] * 3
    compact(walked, "kiosk")
    assert answered(walked, sql).frame.equals(before)
    (walked.log_folder / "kiosk" / "decisions-x.jsonl").unlink()
    assert answered(walked, sql).frame.equals(before)
    outcomes = "select count(*), count(distinct id) from outcomes"
    assert answered(walked, outcomes).frame.row(0) == (6, 3)


ATTACKS = [
    "select * from read_text('/etc/passwd')",
    "select * from read_csv('/etc/passwd')",
    "select * from '/etc/passwd'",
    "select * from read_blob('/proc/self/environ')",
    "select * from glob('/*')",
    "select * from read_parquet('{root}/rows.parquet')",
    "select * from read_json('{root}/.shipworthy/records.db')",
    "select * from read_text('https://example.com/')",
    "copy (select 1) to '{root}/stolen.csv'",
    "attach '{root}/.shipworthy/records.db' as other",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "reset lock_configuration",
    "pragma enable_external_access",
    "create table t as select 1",
    "insert into ideas select * from ideas",
    "delete from ideas",
    "drop view ideas",
    "export database '{root}/stolen'",
    "import database '{root}'",
    "call pragma_version()",
    "select getenv('HOME')",
    "select 1; select 2",
    "",
    "select",
]


FULL = os.environ.get("SHIPWORTHY_WALKS") == "full"
"""Each attack takes a process: a few kinds of them always, every one where all is walked."""


@pytest.mark.parametrize("sql", ATTACKS if FULL else ATTACKS[::3])
def test_a_question_that_is_more_than_one_is_refused(sql: str, walked: Project):
    """It reads no file, environment or network, writes nothing, loads nothing and sets nothing; nothing is left behind."""
    before = {path: path.stat().st_mtime_ns for path in walked.root.rglob("*")}
    with pytest.raises(InvalidInputError):
        ask([walked], sql.format(root=walked.root), limits=SMALL)
    assert {path: path.stat().st_mtime_ns for path in walked.root.rglob("*")} == before


def test_a_name_made_up_while_it_runs_leads_no_further(walked: Project):
    """Functions that make a query or the name of a table from text are bound by the same walls."""
    for sql in (
        "select * from query('select * from read_text(''/etc/passwd'')')",
        "select * from query_table('/etc/passwd')",
    ):
        with pytest.raises(InvalidInputError, match="cannot be answered"):
            ask([walked], sql, limits=SMALL)


def test_the_process_knows_nothing_of_ours_and_stands_behind_walls(walked: Project, monkeypatch: pytest.MonkeyPatch):
    """No variable of ours is in its settings, no byte reaches a file, and what the kernel has of walls stands."""
    monkeypatch.setenv("SECRET_OF_OURS", "swordfish-3141")
    found = answered(walked, "select name, value::varchar as value from duckdb_settings()")
    assert found.frame.height > 50
    assert "swordfish" not in str(found.to_dict())
    assert os.environ.get("HOME", "/root") not in found.frame["value"].to_list()
    assert NO_BYTES in found.walls
    assert set(found.walls) >= WHOLE or set(found.walls) < WHOLE | {"no privileges", "no TCP", "a limit of memory"}


def test_a_question_that_never_ends_is_broken_off(walked: Project):
    """After its seconds it is over, whether it counts or calls itself."""
    for sql in (
        "select count(*) from range(10000000000000)",
        "with recursive t as (select 1 as n union all select n + 1 from t) select max(n) from t",
    ):
        with pytest.raises(InvalidInputError, match=r"broken off after 0.5 seconds"):
            answered(walked, sql, seconds=0.5, megabytes=256)


def test_a_question_takes_no_more_memory_than_it_may(walked: Project):
    """It ends with a message, whether tables, a text or the answer itself are too large."""
    for sql in (
        "select list(a) from range(10000000000) t(a)",
        "select repeat('x', 2000000000) as x",
        "select repeat('x', 1000000) as x from range(200)",
    ):
        with pytest.raises(InvalidInputError, match=r"memory|MB|broken off"):
            ask([walked], sql, limits=SMALL)


def test_a_question_sees_only_the_projects_that_it_is_given(walked: Project, tmp_path: Path):
    """Of two squads each sees its own; who may see both sees whose is whose."""
    other = open_project(kiosk.lay(tmp_path / "other"))
    kiosk.write_idea(other.root, 9)
    sql = "select project, idea from ideas order by 1, 2"
    assert answered(other, sql).frame.rows() == [("other", 9)]
    assert ask([walked, other], sql).frame.rows() == [("kiosk", 1), ("kiosk", 2), ("other", 9)]
    with pytest.raises(InvalidInputError):
        ask([other], f"select * from read_parquet('{walked.root}/rows.parquet')")
    other.records.close()


def test_what_a_sealed_holdout_withholds_is_in_no_table(walked: Project):
    """Neither the sealed figures of a verdict, nor a holdout's fingerprints, nor its evidence can be asked."""
    verdict, research = walked.records.get("verdict", "0001"), walked.records.get("research", "0001")
    kept = {**verdict.body, "sealed": {**verdict.body["verdict"], "gain": 271828.5}, "is_sealed": True}
    window = {"first": "2025-03-01", "last": "2025-05-05", "periods": 60}
    holdout = walked.records.get("holdout", "kiosk-1")
    walked.records.add(
        Change(kind="verdict", key="0001", body=kept),
        Change(kind="research", key="0001", body={**research.body, "holdout": window, "development": None}),
        Change(kind="holdout", key="kiosk-1", body={**holdout.body, "is_sealed": True}),
        by="ann",
    )
    bodies = "select body from records where newest and kind in ('verdict', 'holdout')"
    assert "271828" not in str(answered(walked, bodies).to_dict())
    assert (
        "fingerprints"
        not in answered(walked, "select body from records where newest and kind = 'holdout'").frame.item()
    )
    assert answered(walked, "select count(*) from evidence").frame.item() == 0


def test_a_question_about_what_is_not_there_says_what_is(walked: Project):
    """A table or a column that is not there is answered with those that are; an interval has to be cast."""
    with pytest.raises(
        InvalidInputError, match=r"answered: No table 'idea'\. Did you mean 'ideas'\? There is: ideas, ver"
    ):
        answered(walked, "select * from idea")
    with pytest.raises(InvalidInputError, match=r"answered: No table 'nowhere'\. There is: ideas, verdicts"):
        answered(walked, "select 1 from nowhere")
    with pytest.raises(
        InvalidInputError, match=r"(?s)No column 'titel'\. Did you mean 'title'\? There is: .*\n\nLINE 1"
    ):
        answered(walked, "select titel from ideas")
    with pytest.raises(InvalidInputError, match=r"answered: Could not convert string 'x' to INT32\.\n\nLINE 1"):
        answered(walked, "select 'x'::int")
    with pytest.raises(InvalidInputError, match="cast it to varchar"):
        answered(walked, "select interval 1 day as span")
    assert answered(walked, "select 1 as a, 2 as a").frame.columns == ["a", "a_2"]


def test_the_second_question_of_an_account_waits_for_its_first():
    """Two tabs are answered one after the other; a third question at that time is refused, and somebody else's is not."""
    questions = Questions()
    first = questions.of("ben")
    first.__enter__()
    with ThreadPoolExecutor() as pool:
        second = pool.submit(lambda: questions.of("ben").__enter__())
        while not second.running():
            sleep(0.01)
        sleep(0.1)
        with pytest.raises(UnavailableError, match="Your other question is still being answered"), questions.of("ben"):
            pass
        with questions.of("ann"):
            assert not second.done()
        first.__exit__(None, None, None)
        second.result(timeout=5)


def test_limits_have_limits():
    """Nobody asks for no time, or for a week."""
    for wrong in ({"seconds": 0.0}, {"seconds": 1e9}, {"megabytes": -1}, {"rows": 0}, {"seconds": float("nan")}):
        with pytest.raises(InvalidInputError):
            Limits(**wrong)


def test_saved_questions_keep_their_versions_and_every_one_of_ours_can_be_asked(walked: Project):
    """A question is saved with what it tells; saved again it gets a version; ours all answer."""
    save_query(walked, "owners", "select owner from ideas", "Who owns what.")
    again = save_query(walked, "owners", "select distinct owner from ideas", "Who owns what.")
    assert (again.version, again.by) == (2, "ann")
    assert [record.body["sql"] for record in walked.records.history("query", "owners")] == [
        "select owner from ideas",
        "select distinct owner from ideas",
    ]
    assert {query.name for query in find_queries(walked)} == {"owners", *OWN}
    log_some(walked, 2)
    for name in OWN:
        assert answered(walked, read_query(walked, name).sql).frame.columns, name
    for name, sql, why in (
        ("Bad name", "select 1", "x"),
        ("verdicts", "select 1", "x"),
        ("ok", "", "x"),
        ("ok", "select 1", ""),
    ):
        with pytest.raises(InvalidInputError):
            save_query(walked, name, sql, why)
    with pytest.raises(NotFoundError, match="owners"):
        read_query(walked, "owner")


def test_an_answer_is_drawn_as_the_reports_are(walked: Project):
    """Lines over periods and bars over names become static SVG; what cannot be drawn says why."""
    course = answered(walked, "select period, sum(value_challenger - value_champion) as gain from evidence group by 1")
    plot = draw_answer(course, "period", "gain", "line")
    assert plot.wide.startswith("<svg")
    assert len(plot.readings) == 80
    units = answered(
        walked, "select unit || '''; alert(1)' as unit, sum(value_champion) as money from evidence group by 1"
    )
    assert "alert(1)" in draw_answer(units, "unit", "money", "bar").wide
    for x, y, kind, wrong, says in (
        ("nothing", "money", "bar", NotFoundError, "No column 'nothing'"),
        ("money", "unit", "bar", InvalidInputError, "'unit' holds words and no numbers"),
        ("unit", "money", "points", InvalidInputError, "'unit' holds words: along the bottom"),
    ):
        with pytest.raises(wrong, match=says):
            draw_answer(units, x, y, kind)  # type: ignore[arg-type]


def test_the_command_line_asks_saves_draws_and_writes(walked: Project, tmp_path: Path):
    """Each option does what it says, in the project's folder."""
    folder = walked.root
    asked = ["ask", "select unit, count(*) as n from evidence group by 1 order by 1"]
    assert typed(folder, *asked).out.split() == ["unit", "n", "rye", "80", "white", "80"]
    assert typed(folder, *asked, "--json").json["rows"] == [["rye", 80], ["white", 80]]
    files = {kind: tmp_path / f"answer.{kind}" for kind in ("csv", "parquet", "svg")}
    done = typed(
        folder,
        *asked,
        "--csv",
        files["csv"],
        "--parquet",
        files["parquet"],
        "--plot",
        "bar",
        "unit",
        "n",
        "--svg",
        files["svg"],
    )
    assert done.code == 0, done.err
    assert files["csv"].read_text() == "unit,n\nrye,80\nwhite,80\n"
    assert pl.read_parquet(files["parquet"]).height == 2
    assert "var(" not in files["svg"].read_text()
    assert typed(folder, *asked, "--save", "pairs", "--why", "How many pairs.").code == 0
    assert typed(folder, "ask", "--saved", "pairs").out == typed(folder, *asked).out
    assert "pairs" in typed(folder, "ask", "--list").out
    assert "evidence" in typed(folder, "ask", "--tables").out
    assert typed(folder, "ask", "drop view ideas").code == 2
    assert typed(folder, "ask").code == 2


def test_on_a_full_disk_a_question_is_refused(walked: Project):
    """Where its tables find no room, that is said; once there is room it is answered."""
    with files_end_at(10), pytest.raises(UnavailableError, match=r"cannot be laid out .* has room"):
        answered(walked, "select idea from ideas")
    assert answered(walked, "select idea from ideas").frame.height == 2
