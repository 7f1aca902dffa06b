"""A project is found from anywhere inside it, and what is wrong in its configuration is said with file and setting."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import pytest

from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.project import open_project
from shipworthy.project.code import load_problem, only_problem


def _configured(folder: Path, text: str | bytes) -> Path:
    (folder / "shipworthy.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_it_is_found_from_a_folder_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The nearest shipworthy.toml upwards counts, also from the current folder and through a relative path."""
    outer = _configured(tmp_path, "")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert open_project(inner).root == outer
    _configured(tmp_path / "a", "")
    assert open_project(inner).root == tmp_path / "a"
    monkeypatch.chdir(inner)
    assert open_project().root == open_project(Path()).root == tmp_path / "a"


def test_no_project_says_how_to_begin(tmp_path: Path):
    """Without any shipworthy.toml the message names the folder and the verb that lays one."""
    with pytest.raises(NotFoundError, match=r"No shipworthy\.toml in .*shipworthy init"):
        open_project(tmp_path)


def test_an_empty_file_is_all_defaults(tmp_path: Path):
    """Every setting has a default."""
    project = open_project(_configured(tmp_path, ""))
    assert project.references == ()
    assert project.seed == 1
    assert project.workers == os.cpu_count()
    assert project.log_folder == tmp_path / ".shipworthy" / "log"


def test_settings_are_taken(tmp_path: Path):
    """What is set is used, the rest keeps its default."""
    project = open_project(_configured(tmp_path, "[research]\nworkers = 3\n[store]\nrecords = 'elsewhere/r.db'"))
    assert (project.workers, project.seed) == (3, 1)
    project.records.close()
    assert (tmp_path / "elsewhere" / "r.db").is_file()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[projekt]\nx = 1", r"No section 'projekt'\. Did you mean 'project'\?"),
        ("[project]\nproblem = []", r"No setting in \[project\] 'problem'\. Did you mean 'problems'\?"),
        ("research = 3", r"research must be a section: write \[research\]"),
        ("[research]\nworkers = '2'", r"research\.workers must be a int, not '2'"),
        ("[research]\nworkers = true", r"research\.workers must be a int, not True"),
        ("[research]\nengine = 'dask'", r"research\.engine must be 'processes' or 'ray', not 'dask'"),
        (
            "[mlflow]\nexperiment = ''",
            r"mlflow\.experiment must be the name of an experiment, not ''",
        ),
        (
            "[research]\nray_address = 'http://here'",
            r"research\.ray_address must be 'host:port', .*, not 'http://here'",
        ),
        ("[research]\nworkers = -1", r"research\.workers must be 0, for one per core, or more, not -1"),
        ("[research]\nseed = 1.5", r"research\.seed must be a int, not 1\.5"),
        ("[project]\nproblems = 'problem:x'", r"project\.problems must be a list"),
        ("[project]\nproblems = [1]", r"project\.problems must be a list of texts"),
        ("[project", r"is not valid TOML.*Correct it there"),
        (b"[project]\nproblems = ['\xff']", r"is not valid TOML"),
        (f"[research]\nseed = {'9' * 5000}", r"is not valid TOML"),
        (f"x = {'[' * 5000}", r"is not valid TOML"),
    ],
)
def test_a_wrong_configuration_is_said_with_file_and_setting(tmp_path: Path, text: str | bytes, says: str):
    """Broken TOML, unknown sections and settings and wrong types are refused, with the file, the name and what is known."""
    with pytest.raises(InvalidInputError, match=rf"shipworthy\.toml.*{says}"):
        open_project(_configured(tmp_path, text))


def test_a_store_that_this_version_cannot_use_is_refused(tmp_path: Path):
    """An address of a server is not taken for the name of a local file."""
    for name, match in (("records", "path, or an address postgresql://"), ("objects", "s3://, gs://, az://")):
        project = open_project(_configured(tmp_path, f"[store]\n{name} = 'mysql://ann:secret@host/db'"))
        with pytest.raises(InvalidInputError, match=match) as said:
            _ = getattr(project, name)
        assert "secret" not in str(said.value)
    assert [path.name for path in tmp_path.iterdir()] == ["shipworthy.toml"]


def test_who_writes_is_known_or_at_least_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """SHIPWORTHY_USER counts first, then the login name, then the number of a user without a name."""
    _configured(tmp_path, "")
    monkeypatch.setenv("SHIPWORTHY_USER", "ada")
    assert open_project(tmp_path).who == "ada"
    monkeypatch.delenv("SHIPWORTHY_USER")
    assert open_project(tmp_path).who == getpass.getuser()

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert open_project(tmp_path).who == f"uid {os.getuid()}"


def test_a_project_without_problems_says_what_to_write(tmp_path: Path):
    """No problem named: the message says where and how to name one."""
    project = open_project(_configured(tmp_path, ""))
    with pytest.raises(InvalidInputError, match=r"names no problem\. Write problems = \['module:name'\]"):
        load_problem(project, "x")


def test_a_problem_that_is_not_there_is_said_with_those_that_are(tmp_path: Path):
    """A wrong name of a problem is answered with the names there are."""
    _problem(tmp_path, "one", "two")
    with pytest.raises(NotFoundError, match=r"No problem 'too'\. Did you mean 'two'\? There is: one, two"):
        load_problem(open_project(tmp_path), "too")


def test_which_problem_has_to_be_said_where_there_are_several(tmp_path: Path):
    """The only problem needs no name; of several one must be named."""
    _problem(tmp_path, "one")
    assert only_problem(open_project(tmp_path)) == "one"
    _problem(tmp_path, "one", "two")
    with pytest.raises(InvalidInputError, match=r"several problems\. Say which one: one, two"):
        only_problem(open_project(tmp_path))


def _problem(folder: Path, *names: str) -> None:
    text = "import shipworthy as sw\n"
    for name in names:
        text += (
            f"{name} = sw.Problem('{name}', rows=None, period='p', unit='u', outcome='o')\n"
            f"@{name}.value\ndef value_{name}(happened): ...\n"
            f"@{name}.policy(champion=True)\nclass P{name}(sw.Policy): ...\n"
        )
    module = f"problems{len(names)}"
    (folder / f"{module}.py").write_text(text)
    _configured(folder, f"[project]\nproblems = [{', '.join(repr(f'{module}:{name}') for name in names)}]")
