"""Rows come from a Delta table, in any of its versions."""

import pytest

from shipworthy.errors import NotFoundError, UnavailableError
from shipworthy.sources.delta import delta
from tests.problems import sales

TABLE = sales(3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project with a table of two versions: three rows, then all."""
    project = tmp_path_factory.mktemp("delta")
    TABLE.head(3).write_delta(str(project / "sales"))
    TABLE.tail(6).write_delta(str(project / "sales"), mode="append")
    return project


def test_the_newest_version_is_read_unless_another_is_asked_for(folder):
    """A version stays what it was, so a problem that names one stays what it was too."""
    assert delta("sales").load(folder).sort("day", "item").equals(TABLE)
    assert delta("sales", version=0).load(folder).equals(TABLE.head(3))


@pytest.mark.parametrize("version", [2, -1])
def test_a_version_that_is_not_there_is_named_with_the_newest(folder, version):
    """The message says how far there are versions."""
    with pytest.raises(NotFoundError, match=rf"no version {version} of Delta table sales\. Its newest is 1\."):
        delta("sales", version=version).load(folder)


def test_a_folder_without_a_table_is_said(folder):
    """Whether it is there or not."""
    for path in ("nowhere", "."):
        with pytest.raises(NotFoundError, match=r"holds no Delta table\. Correct the path"):
            delta(path).load(folder)


def test_a_library_that_is_not_installed_is_said_with_the_command(folder, monkeypatch):
    """A source can be declared without its library, and is told from the extra that brings it when it is read."""
    monkeypatch.setitem(__import__("sys").modules, "deltalake", None)
    source = delta("sales")
    with pytest.raises(UnavailableError, match=r"needs deltalake, .*pip install 'shipworthy\[delta\]'"):
        source.load(folder)
