"""`shipworthy simulate`: what it prints, and that it tells when the verdict of a project cannot be trusted."""

import pytest

from tests.analysis.test_simulate import ALONE, shocked
from tests.cli.typed import typed
from tests.problems import make_project
from tests.research.test_reseeded import SEEDED

READING = SEEDED.replace(
    "class Moody(Yesterday):\n    def decide(self, now, fitted):\n        mood = random.Random(now.seed).random()",
    """class Moody(Yesterday):
    def decide(self, now, fitted):
        from pathlib import Path
        mood = random.Random(now.seed).random() - float(Path(__file__).with_name("worse.txt").read_text())""",
)


def test_a_broken_pairing_is_found(tmp_path):
    """A file that the champion reads changed after its replay was kept: its replays since then, better or worse, are others."""
    (tmp_path / "shop").mkdir()
    file = tmp_path / "shop" / "worse.txt"
    said = {}
    file.write_text("0.5", encoding="utf-8")
    project = make_project(file.parent, READING, settings=ALONE)
    assert typed(project.root, "data", 1).code == 0
    for seed, worse in enumerate((0.5, 0.9, 0.1)):
        file.write_text(str(worse), encoding="utf-8")
        said[worse] = typed(project.root, "simulate", "--reseeded", 8, "--seed", seed)

    assert {worse: one.code for worse, one in said.items()} == {0.5: 0, 0.9: 4, 0.1: 4}
    assert "significantly more than the 5% that it promises" in " ".join(said[0.9].out.split())
    assert "Broken pairing" in said[0.9].out
    assert all(len(line) <= 100 for one in said.values() for line in one.out.splitlines())


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_of_evidence_needs_no_project(tmp_path, ending):
    """Any paired table is simulated, within 100 columns, with the conclusion first."""
    table, file = shocked(), tmp_path / f"evidence.{ending}"
    table.write_csv(file) if ending == "csv" else table.write_parquet(file)
    said = typed(tmp_path, "simulate", "--evidence", file.name, "--placebos", 30, "--gain", 6)
    again = typed(tmp_path, "simulate", "--evidence", file.name, "--placebos", 30, "--gain", 6, "--json")

    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("Answer     The verdict would have shipped ")
    assert max(map(len, said.out.splitlines())) <= 100
    assert again.json["is_promised"] is True
    [source] = again.json["sources"]
    count = source["rates"]["the verdict"]["shipped"]["count"]
    assert f"the verdict           {count} of 30" in said.out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--evidence", "none.txt"], 2, "Give a file .parquet or .csv"),
        (["--evidence", "torn.csv"], 2, "torn.csv could not be read"),
        (["--evidence", "gone.csv"], 6, "gone.csv"),
        (["--evidence", "torn.csv", "--idea", 1], 2, "--idea does not go with --evidence FILE"),
        (["--cadence", "1w"], 2, "--cadence belongs to --evidence FILE"),
        (["--problem", "shop", "--idea", 1], 2, "an idea names its problem"),
        (["--idea", 9], 3, "No idea 9"),
        ([], 3, "No idea has been researched"),
        (["--placebos", 0, "--reseeded", 0], 2, "Give 1 or more"),
    ],
)
def test_what_cannot_be_simulated_is_told_with_its_exit_code(tmp_path, words, code, says):
    """Options that do not go together, files that cannot be read and projects without evidence end as documented."""
    project = make_project(tmp_path / "shop", SEEDED, settings=ALONE)
    (project.root / "torn.csv").write_text("", encoding="utf-8")
    said = typed(project.root, "simulate", *words)
    assert (said.code, said.out) == (code, "")
    assert says in " ".join(said.err.split())
