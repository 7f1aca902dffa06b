"""The file of a contract: where it lies, and the digest by which a gate sees that it changed."""

from __future__ import annotations

from pathlib import Path

from shipworthy.project import Project
from shipworthy.store import digest

CONTRACTS_FOLDER = "contracts"


def contract_path(project: Project, problem: str) -> Path:
    """Where the contract of a problem lies, if it has one."""
    return project.root / CONTRACTS_FOLDER / f"{problem}.toml"


def contract_digest(project: Project, problem: str) -> str | None:
    """The digest of a problem's contract as it is now; None where it has none."""
    path = contract_path(project, problem)
    return digest(path.read_bytes()) if path.is_file() else None
