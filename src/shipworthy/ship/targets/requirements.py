"""What has to be installed for releases to decide: their imports, what those stand on, and nothing else."""

from __future__ import annotations

import ast
import pickletools
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from pathlib import Path

from shipworthy.errors import InvalidInputError
from shipworthy.library import library

_OURS = "shipworthy"
_PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")


def needed(files: Mapping[str, bytes], types: Iterable[str] = (), extras: Iterable[str] = ("serve",)) -> dict[str, str]:
    """The distributions that the files of releases need, with the versions installed here, by name.

    A module counts where code imports it, a type is of it, or a pickle names it; a pickle may name too much, never too little.

    Args:
        files: Python files and pickles, by name.
        types: The full names of what opening a fitted state makes; what is no plain value is opened by skops.
        extras: The extras of shipworthy itself; what is not installed of them is left out.
    """
    named = {module for name, content in files.items() for module in _named(name, content)} | {*types}
    modules = {name.partition(".")[0] for name in named} | ({"skops"} if types else set())
    owners = packages_distributions()
    waiting = [(owner, frozenset[str]()) for module in sorted(modules) for owner in owners.get(module, ())]
    waiting.append((_OURS, frozenset(extras)))
    seen: set[tuple[str, frozenset[str]]] = set()
    found: dict[str, str] = {}
    while waiting:
        one = name, wanted = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        try:
            if name != _OURS:
                found[name] = version(name)
            waiting += _direct(name, wanted)
        except PackageNotFoundError:  # an optional part that nobody installed here, so nothing was fitted with it
            continue
    return dict(sorted(found.items()))


def locked(versions: Mapping[str, str], lock: Path | None) -> str:
    """The lines of a requirements file: each version, with the hashes that the project's lock has for it.

    Raises:
        InvalidInputError: the lock lacks one of them, or has another version.
    """
    if lock is None:
        return "".join(f"{name}=={one}\n" for name, one in versions.items())
    blocks = _blocks(lock.read_text(encoding="utf-8"))
    lines = []
    for name, one in versions.items():
        there = blocks.get(name, {})
        if one not in there:
            raise InvalidInputError(
                f"{name} {one} is installed, but {lock} has {', '.join(there) or 'none'}. Install what the lock says, or lock "
                "what is installed, and ask again."
            )
        lines.append(there[one])
    return "".join(lines)


def is_hashed(requirements: str) -> bool:
    """Whether every requirement has a hash, so that pip can be told to insist on them."""
    blocks = [block for versions in _blocks(requirements).values() for block in versions.values()]
    return bool(blocks) and all("--hash=" in block for block in blocks)


def _blocks(text: str) -> dict[str, dict[str, str]]:
    """Each requirement with its continued lines, without comments, by its normalised name and its version."""
    blocks: dict[str, dict[str, str]] = {}
    versions, one = blocks.setdefault("", {}), ""
    for line in text.splitlines(keepends=True):
        found = _PINNED.match(line)
        if found:
            versions, one = blocks.setdefault(_normal(found[1]), {}), found[2]
        if line.strip() and not line.lstrip().startswith("#"):
            versions[one] = versions.get(one, "") + line
    del blocks[""]
    return blocks


def _direct(name: str, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    """What a distribution requires itself, in this environment and with these extras."""
    parse = library("packaging.requirements", "deploy").Requirement
    found = []
    for line in requires(name) or ():
        one = parse(line)
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            found.append((_normal(one.name), frozenset(one.extras)))
    return found


def _named(name: str, content: bytes) -> set[str]:
    """The modules that a Python file imports, or a pickle may refer to."""
    if name.endswith(".py"):
        nodes = list(ast.walk(ast.parse(content)))
        plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        return plain | {
            node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level
        }
    if name.endswith(".pkl"):
        texts = {argument for _, argument, _ in pickletools.genops(content) if isinstance(argument, str)}
        return {text.split(" ")[0] for text in texts if re.fullmatch(r"[A-Za-z_][\w.]*( [\w.]+)?", text)}
    return set()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
