"""A release: named by all that is in it, and refused before anything of it runs where one byte is another."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from shipworthy.data.snapshot import open_snapshot
from shipworthy.engine import Replay
from shipworthy.errors import NotFoundError, ShipworthyError, TamperedError, UserCodeError
from shipworthy.project import Project, open_project
from shipworthy.project.code import load_problem
from shipworthy.ship.release import build_release, open_release, record_release
from shipworthy.ship.signature import sign
from shipworthy.step import History
from shipworthy.store import Change, canonical, put_content
from tests.problems import SHOP, make_project, replay_of
from tests.ship import kiosk


def _replay(project: Project) -> Replay:
    code, problem = load_problem(project, "kiosk")
    snapshot = str(project.records.get("research", "0001").body["snapshot"])
    history = History(problem, open_snapshot(project, snapshot))
    return Replay(project=project, code=code, problem=problem, snapshot=snapshot, history=history)


@pytest.fixture
def release(judged: Project) -> str:
    """The id of a release that was built and never opened."""
    return build_release(_replay(judged), "weekday", "0001")


def test_a_release_learns_with_the_gap_of_its_policy(tmp_path: Path):
    """What is packed has seen what a fit for the next period would see in research, and the manifest says up to when."""
    source = SHOP + "\n@shop.policy\nclass Late(Yesterday):\n    gap = '5d'\n"
    project = make_project(tmp_path / "shop", source)
    opened = [open_release(project, build_release(replay_of(project), name, None)) for name in ("today", "late")]
    assert [release.decider.fitted for release in opened] == [40 * 3, 35 * 3]
    assert [release.manifest["fitted_through"] for release in opened] == ["2026-02-09", "2026-02-04"]


class Bomb:
    """Writes a marker when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self._marker,)


def _objects(project: Project) -> Path:
    return project.root / ".shipworthy" / "objects"


def _files(project: Project, release: str) -> dict[str, Path]:
    """Every object of a release, by its name in the manifest."""
    address = project.records.get("release", release).body["manifest"]
    manifest = json.loads(project.objects.get(address))
    named = {"manifest": address, **{name: entry["object"] for name, entry in manifest["files"].items()}}
    return {name: _objects(project) / stored for name, stored in named.items()}


def test_the_same_inputs_give_the_same_release(judged: Project, tmp_path: Path):
    """Built twice, and built in another folder from the same code and rows, it has the same name."""
    first = build_release(_replay(judged), "weekday", "0001")
    assert build_release(_replay(judged), "weekday", "0001") == first
    elsewhere = open_project(shutil.copytree(judged.root, tmp_path / "elsewhere"))
    shutil.rmtree(_objects(elsewhere) / "releases")
    assert build_release(_replay(elsewhere), "weekday", "0001") == first
    elsewhere.records.close()


def test_other_inputs_give_another_release(judged: Project):
    """Another policy, another idea or other code is another release."""
    names = {
        build_release(_replay(judged), *what) for what in (("weekday", "0001"), ("one", "0001"), ("weekday", "0002"))
    }
    kiosk.write_code(judged.root, remark="# a remark\n")
    names.add(build_release(_replay(judged), "weekday", "0001"))
    assert len(names) == 4


def test_it_holds_what_deciding_needs(judged: Project, release: str):
    """Opened, it has the policy, its fallback, as much of the past as they remember, and the golden decisions."""
    opened = open_release(judged, release)
    assert opened.decider.name == "weekday"
    assert opened.fallback().name == "yesterday"
    assert opened.golden["day"].n_unique() == 10
    assert opened.units == frozenset({"rye", "white"})
    assert opened.schema == {"bread": pl.String()}
    lineage = opened.manifest["lineage"]
    assert lineage["idea"] == "0001"
    assert lineage["decision"] == "ship"
    assert lineage["locked"] == judged.records.get("idea", "0001").body["lock"]["digest"]
    assert lineage["evidence"] == judged.records.get("verdict", "0001").body["evidence"]
    assert {entry["kind"] for entry in opened.manifest["files"].values()} == {
        "code",
        "fitted",
        "fallback",
        "memory",
        "golden",
        "lock",
    }
    assert (
        opened.memory["day"].min() <= opened.golden["day"].min() - pl.Series([28 * 86_400_000_000]).cast(pl.Duration)[0]
    )
    assert set(opened.manifest["files"]) == {
        "code/problem.py",
        "fallback.zip",
        "fitted.zip",
        "golden.parquet",
        "lock.txt",
        "memory.parquet",
    }


def test_it_decides_by_its_own_code(judged: Project, release: str):
    """What happens to the project's code after the release was built does not reach it."""
    (judged.root / "problem.py").write_text("raise RuntimeError('the project is broken')\n")
    assert open_release(judged, release).decider.name == "weekday"


def test_every_changed_byte_is_refused(judged: Project, release: str):
    """Whichever byte of whichever object is changed: it is refused, and nothing of it was imported or laid."""
    tried = 0
    for name, path in _files(judged, release).items():
        content = path.read_bytes()
        step = max(1, len(content) // 25)
        for at in (*range(0, len(content), step), len(content) - 1):
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            with pytest.raises(TamperedError, match="does not have the content its name promises"):
                open_release(judged, release)
            tried += 1
        for other in (b"", content[:-1], content + b"\0"):
            path.write_bytes(other)
            with pytest.raises(TamperedError):
                open_release(judged, release)
        path.write_bytes(content)
        assert tried, name
    assert not (judged.root / ".shipworthy" / "releases").exists()
    assert open_release(judged, release).id == release


@pytest.mark.parametrize("name", ["fitted.zip", "fallback.zip"])
def test_a_bomb_in_the_fitted_state_does_not_go_off(judged: Project, release: str, tmp_path: Path, name: str):
    """A pickle that was put in the place of the fitted state is refused without being read as one."""
    marker = tmp_path / "bang"
    pickle.loads(pickle.dumps(Bomb(marker)))
    assert marker.exists(), "the bomb works"
    marker.unlink()
    _files(judged, release)[name].write_bytes(pickle.dumps(Bomb(marker)))
    with pytest.raises(TamperedError):
        open_release(judged, release)
    assert not marker.exists()


def test_changed_code_does_not_run(judged: Project, release: str, tmp_path: Path):
    """Code that was put in the place of the release's is refused without being imported."""
    marker = tmp_path / "bang"
    _files(judged, release)["code/problem.py"].write_text(f"open({str(marker)!r}, 'w')\n")
    with pytest.raises(TamperedError):
        open_release(judged, release)
    assert not marker.exists()


@pytest.mark.parametrize("planted", ["problem.py", "polars_extra.py", "problem/__init__.py", "json.py", "__pycache__"])
def test_what_was_planted_beside_the_code_does_not_run(judged: Project, release: str, tmp_path: Path, planted: str):
    """Files added to, or changed in, the folder where a release's code is laid are put right before it is imported."""
    open_release(judged, release)
    folder = judged.root / ".shipworthy" / "releases" / release / "code"
    marker = tmp_path / "bang"
    bang = f"open({str(marker)!r}, 'w')\n"
    source = folder / "problem.py"
    if planted == "__pycache__":
        content, stat = source.read_bytes(), source.stat()
        (tmp_path / "evil.py").write_text(bang)
        compiled = bytearray(_compiled(tmp_path / "evil.py"))
        compiled[8:16] = int(stat.st_mtime).to_bytes(4, "little") + len(content).to_bytes(4, "little")
        cached = folder / "__pycache__" / f"problem.{sys.implementation.cache_tag}.pyc"
        cached.parent.mkdir(exist_ok=True)
        cached.write_bytes(compiled)
    else:
        (folder / planted).parent.mkdir(exist_ok=True)
        (folder / planted).write_text(bang)
    assert open_release(judged, release).problem.name == "kiosk"
    assert not marker.exists()


@pytest.mark.parametrize("linked", ["code/polars", "code/problem.py", "code", "."])
def test_links_among_the_code_go(judged: Project, release: str, tmp_path: Path, linked: str):
    """What a link leads to may become anything later: none stays, the code lies there itself, and what it led to is untouched."""
    folder = judged.root / ".shipworthy" / "releases" / release
    open_release(judged, release)
    elsewhere, link = tmp_path / "elsewhere", folder / linked
    if link.exists():
        shutil.move(link, elsewhere)
    else:
        elsewhere.mkdir()
    if elsewhere.is_dir():
        (elsewhere / "__init__.py").write_text("raise RuntimeError('this runs')\n")
    before = sorted(elsewhere.rglob("*"))
    link.symlink_to(elsewhere)
    assert open_release(judged, release).problem.name == "kiosk"
    assert not [path for path in (folder, *folder.rglob("*")) if path.is_symlink()]
    assert (folder / "code" / "problem.py").read_bytes() == (judged.root / "problem.py").read_bytes()
    assert sorted(elsewhere.rglob("*")) == before


@pytest.mark.parametrize("name", ["code/../../x.py", "code/../x.py", "code/a/../../../../../x.py"])
def test_a_name_that_leads_elsewhere_is_refused(judged: Project, release: str, name: str):
    """Signed or not, a release writes into its own folder alone, and this one writes nothing at all."""
    manifest = json.loads(_files(judged, release)["manifest"].read_text())
    manifest["files"][name] = manifest["files"]["code/problem.py"]
    content = canonical(manifest)
    other = record_release(judged, content, manifest, sign(judged, content))
    with pytest.raises(TamperedError, match=r"names the file .*x\.py', which leads elsewhere"):
        open_release(judged, other)
    assert not (judged.root / ".shipworthy" / "releases").exists()
    assert not list(judged.root.parent.rglob("x.py"))


def _compiled(source: Path) -> bytes:
    import py_compile  # noqa: PLC0415  (only here)

    return Path(str(py_compile.compile(str(source), cfile=str(source.with_suffix(".pyc"))))).read_bytes()


def test_a_record_that_points_to_another_release_is_refused(judged: Project, release: str):
    """The name of a release is that of its manifest: a record that leads elsewhere is not followed."""
    other = judged.records.get("release", build_release(_replay(judged), "one", "0001"))
    judged.records.add(Change(kind="release", key=release, body=other.body), by="somebody")
    with pytest.raises(TamperedError, match=r"points to .* which is another one\. It is not used."):
        open_release(judged, release)


def test_a_manifest_that_names_other_files_is_refused(judged: Project, release: str):
    """A manifest of one's own has another digest, and so another name."""
    files = _files(judged, release)
    manifest = json.loads(files["manifest"].read_text())
    bomb = put_content(judged.objects, "release-files", pickle.dumps(Bomb(judged.root / "bang")))
    manifest["files"]["fitted.zip"]["object"] = bomb
    files["manifest"].write_bytes(canonical(manifest))
    with pytest.raises(TamperedError):
        open_release(judged, release)
    assert not (judged.root / "bang").exists()


def test_a_missing_object_is_said(judged: Project, release: str):
    """An object that is gone is named."""
    _files(judged, release)["golden.parquet"].unlink()
    with pytest.raises(NotFoundError, match="There is no object 'release-files/"):
        open_release(judged, release)


@pytest.mark.parametrize("name", ["", "0" * 16, "../x", "é"])
def test_an_unknown_release_is_said_with_those_that_are_known(judged: Project, release: str, name: str):
    """Asking for another one lists what there is."""
    with pytest.raises(NotFoundError, match=f"No release '{name}'.*There is: {release}"):
        open_release(judged, name)


def test_a_fitted_state_that_cannot_be_packed_is_the_users(judged: Project):
    """A policy whose fit returns what cannot be kept as data is said when the release is built, with what to do."""
    kiosk.write_code(judged.root, remark="\n\nWeekday.fit = lambda self, past: lambda: None\n")
    with pytest.raises(UserCodeError, match=r"what it returned is the function .*<lambda>.*declare `pickled = True`"):
        build_release(_replay(judged), "weekday", "0001")
    assert [record.key for record in judged.records.find("release")] == []


def test_two_processes_may_open_it_at_once(judged: Project, release: str):
    """A folder that another one is laying at the same time is no trouble."""
    for _ in range(3):
        shutil.rmtree(judged.root / ".shipworthy" / "releases", ignore_errors=True)
        with pytest.MonkeyPatch.context() as patch:
            real = Path.replace

            def laid_meanwhile(path: Path, target: Path, real: Callable[..., Path] = real) -> Path:
                patch.setattr(Path, "replace", real)
                open_release(judged, release)
                return real(path, target)

            patch.setattr(Path, "replace", laid_meanwhile)
            try:
                assert open_release(judged, release).id == release
            except ShipworthyError as error:  # pragma: no cover
                pytest.fail(str(error))
