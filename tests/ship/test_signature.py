"""A release is opened on somebody's word: a signature by a key that the repository trusts, or its digest in shipworthy.toml."""

from __future__ import annotations

import dataclasses
import shutil
import stat
from pathlib import Path

import pytest

from shipworthy.errors import InvalidInputError, NotFoundError, TamperedError
from shipworthy.project import Project, open_project
from shipworthy.ship.keys import KEY_VARIABLE, make_key, public_keys, revoke_key, trust_key
from shipworthy.ship.release import build_release, open_release
from shipworthy.store import Change
from tests.problems import SHOP, make_project, replay_of

MARKED = (
    SHOP + "\nfrom pathlib import Path\nif 'releases' in __file__:\n    (Path(__file__).parents[3] / 'ran').touch()\n"
)
"""A problem whose code leaves a mark when it is run as a release's."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A shop whose releases leave a mark when their code runs."""
    return make_project(tmp_path / "shop", MARKED)


@pytest.fixture
def release(project: Project) -> str:
    """The id of a release that was built and never opened."""
    return build_release(replay_of(project), "today", None)


def _refused(project: Project, release: str, says: str) -> None:
    with pytest.raises(TamperedError, match=says):
        open_release(project, release)
    assert not (project.root / ".shipworthy" / "ran").exists(), "its code was run"
    assert not (project.root / ".shipworthy" / "releases").exists(), "its code was laid"


def _rewrite(project: Project, release: str, **changes: object) -> None:
    body = {**project.records.get("release", release).body, **changes}
    project.records.add(Change(kind="release", key=release, body=body), by="somebody")


def _digest(project: Project, release: str) -> str:
    return str(project.records.get("release", release).body["manifest"]).rpartition("/")[2]


def test_the_first_release_makes_the_workspaces_key(project: Project, release: str):
    """No step of its own: the private key is its owner's alone, and the public one stands in the repository."""
    [key] = public_keys(project)
    assert open_release(project, release).signer == key
    assert (project.root / ".shipworthy" / "ran").exists(), "the mark works"
    private = project.root / ".shipworthy" / "keys" / "signing.pem"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert (private.parent / ".gitignore").read_text() == "*\n"
    assert b"PRIVATE" not in (project.root / "keys" / f"{key.name}.pub").read_bytes()


def test_an_unsigned_release_is_refused(project: Project, release: str):
    """A release from before there were signatures, or without one, is not opened, and the message says what to do."""
    _rewrite(project, release, signature=None)
    whole = _digest(project, release)
    _refused(project, release, rf'not signed.*nothing of it was run.*Ship.*allow_unsigned = \["{whole}"\]')


def test_an_unsigned_release_may_be_allowed_by_its_digest(project: Project, release: str):
    """Who knows where it comes from writes its digest into the project's configuration, for that one alone."""
    _rewrite(project, release, signature=None)
    other = build_release(replay_of(project), "twin", None)
    _rewrite(project, other, signature=None)
    (project.root / "shipworthy.toml").write_text(
        f'[project]\nproblems = ["problem:shop"]\n[release]\nallow_unsigned = ["{_digest(project, other)}", "{release}"]\n'
    )
    again = open_project(project.root)
    _refused(again, release, "not signed")  # its id, a beginning of the digest, is not enough
    opened = open_release(again, other)
    assert (opened.id, opened.signer) == (other, None)


def test_every_changed_byte_of_a_signature_is_refused(project: Project, release: str):
    """Whichever byte of the signature is another one, or missing, or no signature at all."""
    signature = project.records.get("release", release).body["signature"]
    good = bytes.fromhex(signature["signature"])
    bad = [(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]).hex() for at in range(len(good))]
    for value in (*bad, "", good[:-1].hex(), "not hexadecimal", None, 7):
        _rewrite(project, release, signature={**signature, "signature": value})
        _refused(project, release, "is not that of")


@pytest.mark.parametrize("signature", ["", [], 3, {}, {"key": None}])
def test_what_is_no_signature_is_refused(project: Project, release: str, signature: object):
    """Any other value in the place of a signature is refused in the same way."""
    _rewrite(project, release, signature=signature)
    _refused(project, release, "not signed|does not trust")


def test_the_signature_of_another_release_is_refused(project: Project, release: str):
    """A signature is good for one manifest."""
    other = build_release(replay_of(project), "twin", None)
    _rewrite(project, release, signature=project.records.get("release", other).body["signature"])
    _refused(project, release, "is not that of")


def test_who_writes_stores_and_holds_no_key_cannot_put_in_a_release(project: Project, tmp_path: Path):
    """Manifest, files, record and signature may all fit one another: it is the repository that says whom to believe."""
    stranger = make_project(tmp_path / "stranger", MARKED)
    forged = build_release(replay_of(stranger), "today", None)
    build_release(replay_of(project), "twin", None)
    shutil.copytree(
        stranger.root / ".shipworthy" / "objects", project.root / ".shipworthy" / "objects", dirs_exist_ok=True
    )
    record = stranger.records.get("release", forged)
    project.records.add(Change(kind="release", key=forged, body=record.body), by="somebody")
    _refused(project, forged, "does not trust.*keys trust")


def test_what_a_revoked_key_signed_is_refused(project: Project, release: str):
    """Putting a key out is one file of the repository; it cannot be taken in again, nor sign."""
    [key] = public_keys(project)
    public = (project.root / "keys" / f"{key.name}.pub").read_bytes()
    revoke_key(project, key.name)
    _refused(project, release, f"signed by the key of {key.name}, which is revoked")
    again = project.root / "again.pub"
    again.write_bytes(public)
    with pytest.raises(InvalidInputError, match="was revoked here"):
        trust_key(project, again)
    with pytest.raises(InvalidInputError, match="not one that this project trusts"):
        build_release(replay_of(project), "twin", None)


def test_a_key_that_others_may_read_signs_nothing(project: Project, release: str):
    """A private key with open doors is refused before it is used, with how to close them."""
    private = project.root / ".shipworthy" / "keys" / "signing.pem"
    private.chmod(0o644)
    with pytest.raises(InvalidInputError, match=r"mode 0644.*chmod 600"):
        build_release(replay_of(project), "twin", None)
    private.chmod(0o440)  # as a secret is mounted into a container
    assert open_release(project, build_release(replay_of(project), "twin", None)).signer is not None


def test_a_colleague_signs_with_a_key_that_was_reviewed(project: Project, release: str, tmp_path: Path):
    """Where the project trusts somebody already, a workspace without a key makes one, and is trusted as its file is."""
    elsewhere = open_project(shutil.copytree(project.root, tmp_path / "elsewhere"))
    shutil.rmtree(elsewhere.root / ".shipworthy" / "keys")
    with pytest.raises(NotFoundError, match=r"no key to sign with.*keys new"):
        build_release(replay_of(elsewhere), "twin", None)
    colleague = make_key(elsewhere, "grace")
    theirs = build_release(replay_of(elsewhere), "twin", None)
    assert open_release(elsewhere, theirs).signer == colleague
    assert trust_key(project, elsewhere.root / "keys" / "grace.pub") == colleague
    assert len(public_keys(project)) == 2


def test_the_key_may_lie_elsewhere(project: Project, release: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A pipeline says in the environment where its key lies; it is never made there."""
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "absent.pem"))
    with pytest.raises(NotFoundError, match=r"absent\.pem"):
        build_release(replay_of(project), "twin", None)
    shutil.copy(project.root / ".shipworthy" / "keys" / "signing.pem", tmp_path / "absent.pem")
    (tmp_path / "absent.pem").chmod(0o600)
    assert open_release(project, build_release(replay_of(project), "twin", None)).signer is not None


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_a_file_that_is_no_key_is_said(project: Project, release: str, content: bytes):
    """A broken file among the keys is named, instead of being passed over."""
    (project.root / "keys" / "broken.pub").write_bytes(content)
    with pytest.raises(InvalidInputError, match=r"broken\.pub is no public key"):
        open_release(project, release)


def test_a_release_that_was_built_unsigned_is_signed_when_it_is_built_again(project: Project, release: str):
    """The way over for what is shipped already: the same release, signed now."""
    _rewrite(project, release, signature=None)
    assert build_release(replay_of(project), "today", None) == release
    assert open_release(project, release).signer is not None
    before = len(project.records.history("release", release))
    build_release(replay_of(project), "today", None)
    assert len(project.records.history("release", release)) == before


def test_sizes_are_asked_for_before_bytes_are_read(project: Project, release: str, monkeypatch: pytest.MonkeyPatch):
    """An object that is larger than the manifest says is never read into memory."""
    read: list[str] = []
    objects = project.objects
    memory = next(name for name in objects.list("release-files") if objects.about(name).size > 2000)
    (project.root / ".shipworthy" / "objects" / memory).write_bytes(b"\0" * 50_000_000)

    class Watched:
        def get(self, name: str) -> bytes:
            read.append(name)
            return objects.get(name)

        def about(self, name: str) -> object:
            return objects.about(name)

    watched = dataclasses.replace(project)
    watched.__dict__["objects"] = Watched()
    _refused(watched, release, "there are 50,000,000")
    assert memory not in read
