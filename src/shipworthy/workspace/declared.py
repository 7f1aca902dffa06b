"""What a project's code declares of its problems, read as text: the server runs none of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from shipworthy.problem import Problem
from shipworthy.project import Project

_KEPT = 256


class Declared(NamedTuple):
    """What a problem is declared with in so many words: empty where nobody can tell without running code."""

    currency: str = ""
    unit: str = ""


def declared_currency(project: Project, problem: str) -> str:
    """The currency of a problem, as far as its declaration says so."""
    return declared(project, problem).currency


def declared(project: Project, problem: str) -> Declared:
    """What the code of a project declares of a problem."""
    for reference in project.settings["project"]["problems"]:
        path = project.root / f"{reference.partition(':')[0].replace('.', '/')}.py"
        try:
            found = _problems(path, path.stat().st_mtime_ns).get(problem)
        except (
            OSError,
            ValueError,
            SyntaxError,
        ):  # what cannot be read declares nothing here; the verbs say what is wrong
            continue
        if found is not None:
            return found
    return Declared()


@lru_cache(maxsize=_KEPT)
def _problems(path: Path, changed_ns: int) -> Mapping[str, Declared]:  # noqa: ARG001 - a file that changed is another one
    return dict(_declared(ast.parse(path.read_bytes())))


def _declared(code: ast.Module) -> Iterator[tuple[str, Declared]]:
    """Each problem of a module with what is said of it."""
    for call in ast.walk(code):
        if not isinstance(call, ast.Call) or ast.unparse(call.func).rpartition(".")[2] != Problem.__name__:
            continue
        said = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        name, currency, unit = call.args[0] if call.args else said.get("name"), said.get("currency"), said.get("unit")
        if isinstance(name, ast.Constant) and isinstance(currency, ast.Constant | None):
            money = Problem.currency if currency is None else str(currency.value)
            yield str(name.value), Declared(money, str(unit.value) if isinstance(unit, ast.Constant) else "")
