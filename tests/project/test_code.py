"""The user's code: its faults are said with file and line, versions of it do not mix, and its digest is what it depends on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shipworthy.errors import InvalidInputError, NotFoundError, UserCodeError
from shipworthy.project.code import Code, load_problem
from tests.problems import make_project

PROBLEM = """\
import shipworthy as sw
import measures

shop = sw.Problem("shop", rows=None, period="day", unit="item", outcome="sold")
shop.value(measures.profit)


@shop.policy(champion=True)
class Same(sw.Policy):
    def decide(self, now, fitted):
        return measures.VERSION
"""


def _folder(place: Path, **modules: str) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    for name, text in {"problem": PROBLEM, "measures": "VERSION = 1\ndef profit(happened): ...\n", **modules}.items():
        path = place / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return place


def _decided(code: Code) -> object:
    policy = code.problem("problem:shop").make_policy("same")
    return policy.decide(None, None)


@pytest.mark.parametrize(
    ("module", "text", "says"),
    [
        (
            "problem",
            "x = 1\n\nraise RuntimeError('no database')\n",
            r"failed at problem\.py:3: RuntimeError: no database",
        ),
        ("problem", "x = 1\nif x\n", r"failed at problem\.py:2: SyntaxError: expected ':'"),
        (
            "problem",
            "import nothing_of_that_name\n",
            r"failed at problem\.py:1: ModuleNotFoundError: .*nothing_of_that_name",
        ),
        ("measures", "def profit(h): ...\nVERSION = 1 / 0\n", r"failed at measures\.py:2: ZeroDivisionError"),
        ("measures", "import problem\nproblem.shop\n", r"failed at measures\.py:2: AttributeError"),
        ("problem", "import sys\nsys.exit(3)\n", r"failed at problem\.py:2: SystemExit: 3"),
        ("problem", "x = '\\ud800'.encode()\n", r"failed at problem\.py:1: UnicodeEncodeError"),
        ("problem", "\0", r"failed.*(SyntaxError|ValueError).*null bytes"),
    ],
)
def test_what_a_module_raises_is_said_with_file_and_line(tmp_path: Path, module: str, text: str, says: str):
    """Whatever the user's module raises while it is imported comes as one error that names the place."""
    code = Code(_folder(tmp_path, **{module: text}))
    with pytest.raises(UserCodeError, match=says):
        code.problem("problem:shop")


def test_a_module_in_another_encoding_is_the_users_fault(tmp_path: Path):
    """A source file that is not UTF-8 is said by its name, too."""
    folder = _folder(tmp_path)
    (folder / "problem.py").write_bytes(b"x = '\xff'\n")
    with pytest.raises(UserCodeError, match="SyntaxError"):
        Code(folder).problem("problem:shop")


@pytest.mark.parametrize("reference", ["problem", "problem:", ":shop", ""])
def test_a_reference_needs_module_and_name(tmp_path: Path, reference: str):
    """A malformed reference is said with the form it should have."""
    with pytest.raises(InvalidInputError, match=r"is no reference to a problem\. Write 'module:name'"):
        Code(_folder(tmp_path)).problem(reference)


def test_a_missing_module_is_said_with_those_that_are_there(tmp_path: Path):
    """A module that is not there is answered with the folder's modules."""
    with pytest.raises(
        NotFoundError, match=r"No module 'problm'\. Did you mean 'problem'\? There is: measures, problem"
    ):
        Code(_folder(tmp_path)).problem("problm:shop")


def test_a_missing_name_is_said_with_the_problems_there_are(tmp_path: Path):
    """A name that is not in the module is answered with the module's problems."""
    with pytest.raises(NotFoundError, match=r"No problem in problem\.py 'shpo'\. Did you mean 'shop'\?"):
        Code(_folder(tmp_path)).problem("problem:shpo")


def test_something_else_is_not_taken_for_a_problem(tmp_path: Path):
    """A name that leads to something else says what it leads to."""
    with pytest.raises(InvalidInputError, match=r"problem:measures is a module, not a shipworthy\.Problem"):
        Code(_folder(tmp_path)).problem("problem:measures")


@pytest.mark.parametrize(
    ("without", "says"),
    [("shop.value(measures.profit)\n", "has no value"), ("(champion=True)", "has no champion")],
)
def test_a_problem_that_is_not_complete_says_what_to_declare(tmp_path: Path, without: str, says: str):
    """Without value or champion nothing can be proved, and the message says how to declare it."""
    code = Code(_folder(tmp_path, problem=PROBLEM.replace(without, "")))
    with pytest.raises(UserCodeError, match=rf"{says}\. Declare"):
        code.problem("problem:shop")


def test_two_versions_side_by_side_do_not_mix(tmp_path: Path):
    """Two folders with modules of the same names are loaded in one process, and each keeps to its own."""
    old = Code(_folder(tmp_path / "shop"))
    new = Code(_folder(tmp_path / "shop2", measures="VERSION = 2\ndef profit(happened): ...\n"))
    assert (_decided(old), _decided(new), _decided(old)) == (1, 2, 1)
    assert "measures" not in sys.modules
    assert str(tmp_path / "shop") not in sys.path


def test_a_release_beside_the_project_does_not_mix(tmp_path: Path):
    """While a project's own code stays active, a release's folder inside it is loaded and taken away again."""
    project = Code(_folder(tmp_path))
    release = Code(_folder(tmp_path / ".shipworthy/releases/x", measures="VERSION = 2\ndef profit(happened): ...\n"))
    project.activate()
    assert (_decided(project), _decided(release), _decided(project)) == (1, 2, 1)
    assert sys.modules["measures"].VERSION == 1
    other = Code(_folder(tmp_path / "other", measures="VERSION = 3\ndef profit(happened): ...\n"))
    other.activate()
    assert (_decided(other), _decided(project)) == (3, 1)


def test_fitted_state_comes_back_with_its_own_class(tmp_path: Path):
    """A fitted object is unpickled with the class of its own version, whatever other version is loaded."""
    model = (
        "class Model:\n    def __init__(self):\n        self.version = {}\n    def forecast(self):\n        return {}\n"
    )
    codes = {n: Code(_folder(tmp_path / str(n), measures=model.format(n, n) + "def profit(h): ...\n")) for n in (1, 2)}
    packed = {}
    for n, code in codes.items():
        code.problem("problem:shop")
        with code.active():
            packed[n] = code.pickle(sys.modules["measures"].Model())
    assert {n: codes[n].unpickle(packed[n]).forecast() for n in (2, 1)} == {1: 1, 2: 2}


def test_what_cannot_be_packed_is_said(tmp_path: Path):
    """A fitted state that cannot be pickled is the user's fault, with the remedy."""
    with pytest.raises(UserCodeError, match=r"What fit\(\) returned, a function, cannot be pickled.*no lambda"):
        Code(_folder(tmp_path)).pickle(lambda: None)


def _digest(folder: Path) -> str:
    code = Code(folder)
    return code.digest_of(*code.problem("problem:shop").policies.values())


def test_the_digest_is_that_of_the_code_behind_the_policy(tmp_path: Path):
    """It changes with the module of the policy and with what that imports, at any depth, and with nothing else."""
    measures = "from pricing.rules import price\nVERSION = 1\ndef profit(happened): ...\n"
    package = {"pricing/rules": "from . import tax\nprice = 3\n", "pricing/tax": "rate = 1\n", "pricing/__init__": ""}
    folder = _folder(tmp_path / "a", measures=measures, **package)
    before = _digest(folder)
    assert _digest(folder) == before
    assert _digest(_folder(tmp_path / "b", measures=measures, **package)) == before

    (folder / "unrelated.py").write_text("raise RuntimeError")
    (folder / "notes.txt").write_text("x")
    assert _digest(folder) == before

    for name in ("problem", "measures", "pricing/rules", "pricing/tax", "pricing/__init__"):
        path = folder / f"{name}.py"
        text = path.read_text()
        path.write_text(text + "\n# changed\n")
        assert _digest(folder) != before, name
        path.write_text(text)
    assert _digest(folder) == before


@pytest.mark.parametrize("environment", [".venv", "env"])
def test_an_environment_inside_the_folder_is_not_the_users_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: str
):
    """Libraries installed inside the project's folder are no part of its code, and stay imported."""
    folder = _folder(tmp_path, measures="import library\nVERSION = 1\ndef profit(happened): ...\n")
    site = folder / environment / "lib" / "site-packages"
    site.mkdir(parents=True)
    (site / "library.py").write_text("")
    monkeypatch.syspath_prepend(str(site))
    code = Code(folder)
    files = code.files_behind(*code.problem("problem:shop").policies.values())
    try:
        assert [file.name for file in files] == ["measures.py", "problem.py"]
        assert "library" in sys.modules
        assert str(folder) not in str(getattr(sys.modules.get("measures"), "__file__", ""))
    finally:
        sys.modules.pop("library", None)


def test_a_library_of_an_environment_without_site_packages_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Python itself may lie inside the project's folder; its modules are not taken away with the user's."""
    folder = _folder(tmp_path, measures="import stdlike\nVERSION = 1\ndef profit(happened): ...\n")
    lib = folder / "env" / "lib"
    lib.mkdir(parents=True)
    (lib / "stdlike.py").write_text("")
    monkeypatch.setattr(sys, "prefix", str(folder / "env"))
    monkeypatch.syspath_prepend(str(lib))
    Code(folder).problem("problem:shop")
    try:
        assert "stdlike" in sys.modules
    finally:
        sys.modules.pop("stdlike", None)


def test_one_folder_loaded_twice_keeps_its_modules_apart(tmp_path):
    """Unpickling through one load takes nothing from the other, which stays the one that an import finds."""
    project = make_project(tmp_path / "shop")
    earlier, problem = load_problem(project, "shop")
    later, again = load_problem(project, "shop")
    digests = {code.digest_of(problem.policies["today"]) for code in (earlier, later)}
    assert earlier.unpickle(earlier.pickle({"fitted": 1})) == {"fitted": 1}
    assert {code.digest_of(problem.policies["today"]) for code in (earlier, later)} == digests
    assert len(digests) == 1
    assert sys.modules["problem"].shop is again
