"""A release: an immutable package of one policy, named by the digest of everything in it."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from shipworthy.data.contract import Contract, find_contract, parse_contract
from shipworthy.engine import Replay, fit_decider
from shipworthy.errors import NotFoundError, TamperedError
from shipworthy.problem import Period, Policy, Problem, Span
from shipworthy.project import Project
from shipworthy.project.code import Code, installed_packages
from shipworthy.ship.golden import GOLDEN_PERIODS, golden_decisions
from shipworthy.step import Decider, MakeDecider
from shipworthy.store import Change, canonical, digest, get_content, put_content
from shipworthy.store.frames import from_parquet, to_parquet

_MANIFESTS = "releases"
_FILES = "release-files"
_CODE = "code/"
_FITTED, _FALLBACK, _MEMORY, _GOLDEN, _CONTRACT, _LOCK = (
    "fitted.pkl",
    "fallback.pkl",
    "memory.parquet",
    "golden.parquet",
    "contract.toml",
    "lock.txt",
)
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

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """The columns that a row to be decided must have, without the period, and their types."""
        hidden = {*self.problem.hidden, *self.problem.decisions, self.problem.period}
        return {name: dtype for name, dtype in self.memory.schema.items() if name not in hidden}


def build_release(replayed: Replay, policy_name: str, idea: str | None) -> str:
    """Fits a policy on all rows of the snapshot, packs it, and gives the release's id.

    The same code, rows and libraries give the same release. Of revised rows it holds the newest revision alone: all of them are
    known by now, and what a release remembers is what its service looks back on.
    """
    replayed = replace(replayed, history=replayed.history.newest)
    problem, project = replayed.problem, replayed.project
    policy = problem.make_policy(policy_name)
    ready = Span.of(problem.outcome_delay).after(replayed.history.periods[-1])
    decider = fit_decider(policy_name, policy, replayed.history, ready)
    fallback_name = problem.fallback or problem.champion
    fallback = None
    if fallback_name not in (None, policy_name):
        fallback = fit_decider(str(fallback_name), problem.make_policy(str(fallback_name)), replayed.history, ready)
    files = {
        _FITTED: replayed.code.pickle(decider.fitted),
        _MEMORY: to_parquet(_memory(replayed, [decider, *([fallback] if fallback else [])], ready)),
        _GOLDEN: to_parquet(golden_decisions(replayed, decider, fallback)),
        _LOCK: "\n".join(installed_packages()).encode(),
    }
    contract = find_contract(project, problem.name)
    if contract is not None:
        files[_CONTRACT] = contract.content
    if fallback:
        files[_FALLBACK] = replayed.code.pickle(fallback.fitted)
    makers = [problem.policies[name] for name in (policy_name, fallback_name) if name]
    measures = [problem.value_of, *(rule.holds for rule in problem.constraints)]
    for path in replayed.code.files_behind(*makers, *(measure for measure in measures if measure)):
        files[_CODE + path.relative_to(replayed.code.folder).as_posix()] = path.read_bytes()
    manifest = {
        "format": 1,
        "problem": problem.name,
        "reference": replayed.code.reference_of(problem, project.references),
        "policy": policy_name,
        "fallback": fallback_name if fallback else None,
        "idea": idea,
        "snapshot": replayed.snapshot,
        "fitted_through": _fitted_through(replayed, policy, ready),
        "seed": project.seed,
        "units": _closed_units(replayed),
        "python": platform.python_version(),
        "files": {name: put_content(project.objects, _FILES, content) for name, content in sorted(files.items())},
    }
    address = put_content(project.objects, _MANIFESTS, canonical(manifest))
    release_id = address.rpartition("/")[2][:_ID_LENGTH]
    if project.records.get("release", release_id) is None:
        about = {"manifest": address, "problem": problem.name, "policy": policy_name, "idea": idea}
        project.records.add(Change(kind="release", key=release_id, body=about), by=project.who)
    return release_id


def open_release(project: Project, release_id: str) -> Release:
    """Opens a release: checks every digest, then imports its code and unpickles its state.

    Raises:
        NotFoundError: there is no such release.
        TamperedError: a byte of it was changed; nothing of it was run.
    """
    record = project.records.get("release", release_id)
    if record is None:
        known = [known.key for known in project.records.find("release")]
        raise NotFoundError.among("release", release_id, known)
    return _opened(project, release_id, str(record.body["manifest"]))


def _opened(project: Project, release_id: str, address: str) -> Release:
    if not address.rpartition("/")[2].startswith(release_id):
        raise TamperedError(
            f"The record of release {release_id} points to {address!r}, which is another one. It is not used."
        )
    manifest = json.loads(get_content(project.objects, address))
    files = {name: get_content(project.objects, stored) for name, stored in manifest["files"].items()}
    folder = project.root / ".shipworthy" / "releases" / release_id
    _lay(folder, {name: content for name, content in files.items() if name.startswith(_CODE)})
    code = Code(folder / _CODE)
    problem = code.problem(manifest["reference"])
    decider = Decider(manifest["policy"], problem.make_policy(manifest["policy"]), code.unpickle(files[_FITTED]))
    return Release(
        id=release_id,
        problem=problem,
        decider=decider,
        fallback=_fallback(code, problem, manifest["fallback"], files),
        memory=from_parquet(files[_MEMORY]),
        golden=from_parquet(files[_GOLDEN]),
        units=frozenset(manifest["units"]) if manifest["units"] is not None else None,
        contract=_contract(release_id, files),
        seed=int(manifest["seed"]),
        manifest=manifest,
    )


def _contract(release_id: str, files: Mapping[str, bytes]) -> Contract | None:
    return parse_contract(files[_CONTRACT], f"{_CONTRACT} of release {release_id}") if _CONTRACT in files else None


def _fallback(code: Code, problem: Problem, name: str | None, files: Mapping[str, bytes]) -> MakeDecider | None:
    if name is None:
        return None
    return cache(lambda: Decider(name, problem.make_policy(name), code.unpickle(files[_FALLBACK])))


def _fitted_through(replayed: Replay, policy: Policy, ready: Period) -> str | None:
    """The last period that the fit has learnt from."""
    last = replayed.history.to_learn(policy, ready)[replayed.problem.period].tail(1).to_list()
    return str(last[0]) if last else None


def _memory(replayed: Replay, deciders: list[Decider], ready: Period) -> pl.DataFrame:
    """As much of the past as the policies remember, and the golden periods with the past of the first of them."""
    golden_first = replayed.history.periods[-GOLDEN_PERIODS:][0]
    first = min(Span.of(decider.policy.memory).before(golden_first) for decider in deciders)
    return replayed.history.between(first, Span.of("1").after(ready))


def _closed_units(replayed: Replay) -> list[Any] | None:
    """The units, where they come again period after period; None where new ones are normal, or no plain JSON values."""
    units = replayed.history.rows[replayed.problem.unit]
    if not (units.dtype == pl.String or units.dtype.is_integer()) or 2 * units.n_unique() > len(units):
        return None
    return sorted(units.unique().to_list())


def _lay(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes the code to be imported; what else lies there, compiled files too, would be imported unchecked, and goes."""
    for name, content in files.items():
        path = folder / name
        if path.is_file() and digest(path.read_bytes()) == digest(content):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(partial).replace(path)
    for path in (folder / _CODE).rglob("*"):
        if not path.is_dir() and path.relative_to(folder).as_posix() not in files:
            path.unlink(missing_ok=True)
