"""A release: an immutable package of one policy, named by the digest of everything in it."""

from __future__ import annotations

import os
import platform
import sysconfig
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from shipworthy.data.contract import Contract, find_contract, parse_contract
from shipworthy.engine import Replay, fit_decider
from shipworthy.errors import NotFoundError, TamperedError
from shipworthy.problem import Period, Policy, Problem, Span
from shipworthy.project import Project
from shipworthy.project.code import Code, installed_packages
from shipworthy.ship.fitted import open_fitted, pack_fitted
from shipworthy.ship.golden import golden_decisions, golden_periods
from shipworthy.ship.keys import PublicKey
from shipworthy.ship.manifest import (
    FORMAT,
    LARGEST_MANIFEST,
    PackedFile,
    entry_of,
    files_of,
    lineage,
    parse_manifest,
    read_file,
)
from shipworthy.ship.signature import is_signed, require_signature, sign
from shipworthy.step import Decider, MakeDecider
from shipworthy.store import Change, canonical, digest, get_content, put_content
from shipworthy.store.frames import from_parquet, to_parquet

_MANIFESTS = "releases"
_FILES = "release-files"
_CODE = "code/"
_PICKLE = ".pkl"
_MEMORY, _GOLDEN, _CONTRACT, _LOCK = ("memory.parquet", "golden.parquet", "contract.toml", "lock.txt")
_ID_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An opened release; every byte was checked against the manifest before anything of it was run.

    Attributes:
        id: Its name: the beginning of the manifest's digest.
        problem: The problem as the release's own code declares it.
        decider: The policy with its fitted state.
        fallback: Makes the policy that decides where that one fails; None where it is its own fallback.
        memory: The rows with outcomes that its policies may look back on.
        golden: The decisions that it must reproduce, one row per (period, unit).
        units: The units it may be asked for; None where new ones are normal.
        contract: What rows to be decided must satisfy; None where the problem had no contract.
        seed: The seed from which each period's is derived.
        manifest: All that the manifest says.
        signer: Whose key signed it; None where it is unsigned and allowed by its digest.
        code: Its code.
    """

    id: str
    problem: Problem
    decider: Decider
    fallback: MakeDecider | None
    memory: pl.DataFrame
    golden: pl.DataFrame
    units: frozenset[Any] | None
    contract: Contract | None
    seed: int
    manifest: Mapping[str, Any]
    signer: PublicKey | None
    code: Code

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """The columns that a row to be decided must have, without the period, and their types."""
        hidden = {*self.problem.hidden, *self.problem.decisions, self.problem.period}
        return {name: dtype for name, dtype in self.memory.schema.items() if name not in hidden}


def build_release(replayed: Replay, policy_name: str, idea: str | None, refit_of: Release | None = None) -> str:
    """Fits a policy on all rows of the snapshot, packs it, signs it, and gives the release's id.

    The same code, rows and libraries give the same release. Of revised rows it holds the newest revision alone: all of them are
    known by now, and what a release remembers is what its service looks back on.

    Args:
        replayed: The problem, its code and its rows.
        policy_name: The policy to pack.
        idea: The idea that it belongs to; None for the baseline.
        refit_of: The release whose code is fitted again; its lineage goes on.

    Raises:
        UserCodeError: a fit raises, or returns what cannot be kept as data.
        InvalidInputError: the key to sign with cannot be used.
    """
    replayed = replace(replayed, history=replayed.history.newest)
    problem, project = replayed.problem, replayed.project
    policy = problem.make_policy(policy_name)
    ready = first_to_decide(problem, replayed.history.periods[-1])
    decider = fit_decider(policy_name, policy, replayed.history, ready)
    fallback_name = problem.fallback or problem.champion
    fallback = None
    if fallback_name not in (None, policy_name):
        fallback = fit_decider(str(fallback_name), problem.make_policy(str(fallback_name)), replayed.history, ready)
    deciders = {"fitted": decider, **({"fallback": fallback} if fallback else {})}
    files: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
        _MEMORY: ("memory", to_parquet(_memory(replayed, list(deciders.values()), ready)), ()),
        _GOLDEN: ("golden", to_parquet(golden_decisions(replayed, decider, fallback)), ()),
        _LOCK: ("lock", "\n".join(installed_packages()).encode(), ()),
    }
    for kind, packed in deciders.items():
        name, content, types = _packed(replayed.code, packed)
        files[f"{kind}{name}"] = (kind, content, types)
    contract = find_contract(project, problem.name)
    if contract is not None:
        files[_CONTRACT] = ("contract", contract.content, ())
    makers = [problem.policies[name] for name in (policy_name, fallback_name) if name]
    measures = [problem.value_of, *(rule.holds for rule in problem.constraints)]
    for path in replayed.code.files_behind(*makers, *(measure for measure in measures if measure)):
        files[_CODE + path.relative_to(replayed.code.folder).as_posix()] = ("code", path.read_bytes(), ())
    origin = refit_of.manifest.get("lineage", {}) if refit_of else lineage(project, idea, replayed.snapshot)
    manifest = {
        "format": FORMAT,
        "problem": problem.name,
        "reference": refit_of.manifest["reference"]
        if refit_of
        else replayed.code.reference_of(problem, project.references),
        "policy": policy_name,
        "fallback": fallback_name if fallback else None,
        "value": getattr(problem.value_of, "__qualname__", None),
        "idea": idea,
        "snapshot": replayed.snapshot,
        "lineage": {**origin, "snapshot": replayed.snapshot, "refit_of": refit_of.id if refit_of else None},
        "fitted_through": _fitted_through(replayed, policy, ready),
        "pickled": sorted(packed.name for packed in deciders.values() if packed.policy.pickled),
        "seed": project.seed,
        "units": _closed_units(replayed),
        "python": platform.python_version(),
        "platform": sysconfig.get_platform(),
        "files": {
            name: entry_of(kind, put_content(project.objects, _FILES, content), content, types)
            for name, (kind, content, types) in sorted(files.items())
        },
    }
    content = canonical(manifest)
    known = project.records.get("release", digest(content)[:_ID_LENGTH])
    signature = known.body.get("signature") if known else None
    if not is_signed(project, content, signature):
        signature = sign(project, content)
    return record_release(project, content, manifest, signature)


def record_release(project: Project, content: bytes, manifest: Mapping[str, Any], signature: Any) -> str:
    """Keeps a manifest, whose files are kept already, with its signature; gives the release's id."""
    address = put_content(project.objects, _MANIFESTS, content)
    release_id = id_of(address)
    known = project.records.get("release", release_id)
    if known is None or known.body.get("signature") != signature:
        about = {name: manifest[name] for name in ("problem", "policy", "idea")}
        body = {"manifest": address, **about, "signature": signature}
        project.records.add(Change(kind="release", key=release_id, body=body), by=project.who)
    return release_id


def id_of(address: str) -> str:
    """The name of the release whose manifest an object holds."""
    return address.rpartition("/")[2][:_ID_LENGTH]


def first_to_decide(problem: Problem, last: Period) -> Period:
    """The period at which everything up to a last one is known."""
    return Span.of(problem.outcome_delay).after(last)


def open_release(project: Project, release_id: str) -> Release:
    """Opens a release: checks every digest and the signature, then imports its code and opens its state.

    Raises:
        NotFoundError: there is no such release.
        TamperedError: a byte of it was changed, or nobody signed it whom the project trusts; nothing of it was run.
    """
    content, signer = read_manifest(project, release_id)
    manifest = parse_manifest(content, release_id)
    packed = files_of(manifest)
    files = {name: read_file(project.objects, file) for name, file in packed.items()}
    folder = project.root / ".shipworthy" / "releases" / release_id
    _lay(folder, {name: content for name, content in files.items() if name.startswith(_CODE)})
    code = Code(folder / _CODE)
    problem = code.problem(manifest["reference"])

    def opened(kind: str, policy: str) -> Decider:
        [name] = [name for name, file in packed.items() if file.kind == kind]
        fitted = _state(code, f"{name} of release {release_id}", packed[name], files[name])
        return Decider(policy, problem.make_policy(policy), fitted)

    fallback = manifest["fallback"]
    return Release(
        id=release_id,
        problem=problem,
        decider=opened("fitted", manifest["policy"]),
        fallback=None if fallback is None else cache(lambda: opened("fallback", fallback)),
        memory=from_parquet(files[_MEMORY]),
        golden=from_parquet(files[_GOLDEN]),
        units=frozenset(manifest["units"]) if manifest["units"] is not None else None,
        contract=_contract(release_id, files),
        seed=int(manifest["seed"]),
        manifest=manifest,
        signer=signer,
        code=code,
    )


def read_manifest(project: Project, release_id: str) -> tuple[bytes, PublicKey | None]:
    """The manifest of a release and whose key signed it; None where it is unsigned and allowed by its digest.

    Raises:
        NotFoundError: there is no such release.
        TamperedError: it was changed, or nobody signed it whom the project trusts.
    """
    record = project.records.get("release", release_id)
    if record is None:
        known = [known.key for known in project.records.find("release")]
        raise NotFoundError.among("release", release_id, known)
    address = str(record.body["manifest"])
    if id_of(address) != release_id:
        raise TamperedError(
            f"The record of release {release_id} points to {address!r}, which is another one. It is not used."
        )
    if project.objects.about(address).size > LARGEST_MANIFEST:
        raise TamperedError(f"The manifest of release {release_id} is larger than any. It is not used.")
    content = get_content(project.objects, address)
    return content, require_signature(project, release_id, content, record.body.get("signature"))


def problem_of(project: Project, release_id: str) -> str:
    """The problem that a release decides.

    Raises:
        ShipworthyError: see `read_manifest`.
    """
    return str(parse_manifest(read_manifest(project, release_id)[0], release_id)["problem"])


def _packed(code: Code, decider: Decider) -> tuple[str, bytes, tuple[str, ...]]:
    """The ending of a fitted state's file, its bytes, and the types in it."""
    if decider.policy.pickled:
        return _PICKLE, code.pickle(decider.fitted), ()
    fitted = pack_fitted(code, decider.fitted, decider.name)
    return ".zip", fitted.content, fitted.types


def _state(code: Code, name: str, file: PackedFile, content: bytes) -> Any:
    """The fitted state of a file whose digest and signature were checked."""
    if name.partition(" ")[0].endswith(_PICKLE):
        return code.unpickle(content)
    return open_fitted(code, content, file.types, name)


def _contract(release_id: str, files: Mapping[str, bytes]) -> Contract | None:
    return parse_contract(files[_CONTRACT], f"{_CONTRACT} of release {release_id}") if _CONTRACT in files else None


def _fitted_through(replayed: Replay, policy: Policy, ready: Period) -> str | None:
    """The last period that the fit has learnt from."""
    last = replayed.history.to_learn(policy, ready)[replayed.problem.period].tail(1).to_list()
    return str(last[0]) if last else None


def _memory(replayed: Replay, deciders: list[Decider], ready: Period) -> pl.DataFrame:
    """As much of the past as the policies remember, and the golden periods with the past of the first of them."""
    golden_first = golden_periods(replayed.problem, replayed.history)[0]
    first = min(Span.of(decider.policy.memory).before(golden_first) for decider in deciders)
    return replayed.history.between(first, Span.of("1").after(ready))


def _closed_units(replayed: Replay) -> list[Any] | None:
    """The units, where they come again period after period; None where new ones are normal, or no plain JSON values."""
    units = replayed.history.rows[replayed.problem.unit]
    if not (units.dtype == pl.String or units.dtype.is_integer()) or 2 * units.n_unique() > len(units):
        return None
    return sorted(units.unique().to_list())


def _lay(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes the code to be imported; what else lies there, compiled files and links too, would be imported unchecked, and goes.

    Raises:
        TamperedError: a name leads out of the folder; nothing was written.
    """
    for name in files:
        if ".." in PurePosixPath(name).parts:
            raise TamperedError(
                f"Release {folder.name} names the file {name!r}, which leads elsewhere. It is not used."
            )
    for path in (folder, folder / _CODE):
        if path.is_symlink():
            path.unlink(missing_ok=True)
    for path in (folder / _CODE).rglob("*"):  # which goes into no link
        is_code = path.is_dir() or path.relative_to(folder).as_posix() in files
        if path.is_symlink() or not is_code:
            path.unlink(missing_ok=True)
    for name, content in files.items():
        path = folder / name
        if path.is_file() and digest(path.read_bytes()) == digest(content):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(partial).replace(path)
