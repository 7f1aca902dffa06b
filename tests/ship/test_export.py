"""A release taken out of its project: one file, or a folder that a container serves from."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from shipworthy.errors import AlreadyExistsError, InvalidInputError, NotFoundError, ShipworthyError, TamperedError
from shipworthy.project import Project, open_project
from shipworthy.ship.export import export_file, export_folder, import_release
from shipworthy.ship.keys import trust_key
from shipworthy.ship.parity import prove_parity
from shipworthy.ship.release import build_release, open_release
from shipworthy.store import Change
from tests.problems import SHOP, make_project, replay_of


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A shop."""
    return make_project(tmp_path / "shop", SHOP)


@pytest.fixture
def release(project: Project) -> str:
    """A release of it."""
    return build_release(replay_of(project), "better", None)


@pytest.fixture
def elsewhere(project: Project, release: str, tmp_path: Path) -> Project:
    """A project without any code, which trusts whoever signed the release."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "shipworthy.toml").write_text("[project]\n")
    other = open_project(tmp_path / "elsewhere")
    [public] = (project.root / "keys").glob("*.pub")
    trust_key(other, public)
    return other


def test_one_file_holds_all_of_it(project: Project, release: str, elsewhere: Project, tmp_path: Path):
    """Taken in where there is neither the project's code nor its stores, it is the same release, and decides."""
    export_file(project, release, tmp_path / "it.zip")
    assert import_release(elsewhere, tmp_path / "it.zip") == release
    opened = open_release(elsewhere, release)
    assert opened.golden.equals(open_release(project, release).golden)
    assert prove_parity(elsewhere, opened).holds
    assert import_release(elsewhere, tmp_path / "it.zip") == release, "twice is once"
    assert len(elsewhere.records.history("release", release)) == 1


def test_a_folder_serves_alone(project: Project, release: str, tmp_path: Path):
    """A folder laid for a container holds the release and the keys, no private one, and serves it with parity."""
    export_folder(project, release, tmp_path / "image")
    assert not list((tmp_path / "image").rglob("signing.pem"))
    assert not (tmp_path / "image" / "problem.py").exists()
    laid = open_project(tmp_path / "image")
    assert prove_parity(laid, open_release(laid, release)).holds
    with pytest.raises(AlreadyExistsError, match="holds something already"):
        export_folder(project, release, tmp_path / "image")


def test_a_folder_of_an_unsigned_release_allows_it_alone(project: Project, release: str, tmp_path: Path):
    """Where the project lets a release in by its digest, the folder that is laid of it does too."""
    body = project.records.get("release", release).body
    project.records.add(Change(kind="release", key=release, body={**body, "signature": None}), by="somebody")
    whole = str(body["manifest"]).rpartition("/")[2]
    with (project.root / "shipworthy.toml").open("a", encoding="utf-8") as file:
        file.write(f'[release]\nallow_unsigned = ["{whole}"]\n')
    export_folder(open_project(project.root), release, tmp_path / "image")
    laid = open_project(tmp_path / "image")
    assert laid.settings["release"]["allow_unsigned"] == [whole]
    assert open_release(laid, release).signer is None


def test_a_stranger_does_not_take_it_in(project: Project, release: str, tmp_path: Path):
    """Who does not trust its signer keeps nothing of it."""
    stranger = make_project(tmp_path / "stranger", SHOP)
    export_file(project, release, tmp_path / "it.zip")
    with pytest.raises(TamperedError, match="does not trust"):
        import_release(stranger, tmp_path / "it.zip")
    assert stranger.records.get("release", release) is None
    assert list(stranger.objects.list()) == []


def test_every_changed_part_is_refused(project: Project, release: str, elsewhere: Project, tmp_path: Path):
    """Whichever part of the file is another one, or gone: nothing of it is taken in."""
    export_file(project, release, tmp_path / "it.zip")
    with zipfile.ZipFile(tmp_path / "it.zip") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert len(parts) > 6
    for name, content in parts.items():
        flipped = content[:-2] + bytes([content[-2] ^ 1]) + content[-1:]
        for changed in ({**parts, name: flipped}, {of: part for of, part in parts.items() if of != name}):
            _write(tmp_path / "bad.zip", changed)
            with pytest.raises((TamperedError, InvalidInputError)):
                import_release(elsewhere, tmp_path / "bad.zip")
    assert elsewhere.records.find("release") == []
    assert list(elsewhere.objects.list()) == []


@pytest.mark.parametrize(
    "parts",
    [
        {"../manifest.json": b"{}"},
        {"/etc/passwd": b""},
        {"objects/../../x": b""},
        {"manifest.json": b"null", "signature.json": b"null"},
        {"manifest.json": b"{}"},
        {},
    ],
)
def test_what_leads_elsewhere_or_is_no_release_is_refused(elsewhere: Project, tmp_path: Path, parts: dict[str, bytes]):
    """Names that lead outside, and archives of something else, leave nothing behind."""
    _write(tmp_path / "bad.zip", parts)
    before = sorted(path for path in tmp_path.rglob("*") if "records" not in path.name)
    with pytest.raises((InvalidInputError, TamperedError)):
        import_release(elsewhere, tmp_path / "bad.zip")
    assert sorted(path for path in tmp_path.rglob("*") if "records" not in path.name) == before


def test_a_file_that_would_unfold_is_refused(elsewhere: Project, tmp_path: Path):
    """A compressed archive, or one whose parts overlap, is refused before a part of it is read."""
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b"\0" * 200_000_000)
    assert (tmp_path / "bomb.zip").stat().st_size < 1_000_000
    with pytest.raises(InvalidInputError, match="is compressed"):
        import_release(elsewhere, tmp_path / "bomb.zip")


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06", b"no archive", bytes(range(256)) * 40])
def test_any_other_file_is_refused(elsewhere: Project, tmp_path: Path, content: bytes):
    """What is no archive is said to be none."""
    (tmp_path / "bad.zip").write_bytes(content)
    with pytest.raises(InvalidInputError):
        import_release(elsewhere, tmp_path / "bad.zip")


def test_what_is_not_there_is_said(project: Project, release: str, tmp_path: Path):
    """A file that is missing, a release that is unknown, a place that is taken."""
    with pytest.raises(NotFoundError, match="There is no file"):
        import_release(project, tmp_path / "none.zip")
    with pytest.raises(NotFoundError, match=release):
        export_file(project, "0" * 16, tmp_path / "it.zip")
    export_file(project, release, tmp_path / "it.zip")
    with pytest.raises(AlreadyExistsError):
        export_file(project, release, tmp_path / "it.zip")
    with pytest.raises(ShipworthyError, match="There is no folder"):
        export_file(project, release, tmp_path / "none" / "it.zip")


def test_the_manifest_tells_kinds_and_origin(project: Project, release: str, tmp_path: Path):
    """What the file holds can be read by anything that reads zip and JSON."""
    export_file(project, release, tmp_path / "it.zip")
    with zipfile.ZipFile(io.BytesIO((tmp_path / "it.zip").read_bytes())) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert json.loads(archive.read("signature.json"))["key"] == open_release(project, release).signer.id
    assert {entry["kind"] for entry in manifest["files"].values()} == {
        "code",
        "fitted",
        "fallback",
        "memory",
        "golden",
        "lock",
    }
    assert manifest["pickled"] == []
    assert manifest["lineage"]["snapshot"] == manifest["snapshot"]


def _write(file: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
