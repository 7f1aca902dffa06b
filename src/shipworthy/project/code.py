"""The Python code of one folder: loaded, told apart from other versions of itself, and named by its content.

A service holds the champion's release and the challenger's at once, and both may contain a module `problem`. So the code of
a folder is imported with the folder first on the path, and its modules are taken out of `sys.modules` again when the
import is over. They stay alive through the problem that refers to them. The price: an import of the project's own
modules *inside* a function that runs later is not found in a release; the parity gate notices.
"""

from __future__ import annotations

import ast
import importlib
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import distributions
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any, ClassVar

from shipworthy.errors import InvalidInputError, NotFoundError, ShipworthyError, UserCodeError
from shipworthy.problem import Problem
from shipworthy.project.project import CONFIG_NAME, Project
from shipworthy.store import digest

_IMPORTING = RLock()
_BROUGHT_BY_RAY = "ray/thirdparty_files"
"""Where Ray, once it is imported, has copies of packages of its own on the path; they are not what is installed."""


class Code:
    """The code of one folder.

    Attributes:
        folder: Where the code lies.
    """

    _staying: ClassVar[Code | None] = None

    def __init__(self, folder: Path) -> None:
        """Names the folder; nothing is imported yet."""
        self.folder = folder.resolve()
        self._inside = f"{self.folder}{os.sep}"
        self._environments = [
            place
            for place in (Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[1])
            if place.is_relative_to(self.folder)
        ]
        self._modules: dict[str, ModuleType] = {}

    def problem(self, reference: str) -> Problem:
        """Imports the module of "module:name" and gives its problem, checked to be complete.

        Raises:
            InvalidInputError: the reference is malformed or names something else.
            NotFoundError: there is no such module or name.
            UserCodeError: importing the module raised.
        """
        module_name, _, name = reference.partition(":")
        if not (module_name and name):
            raise InvalidInputError(
                f"{reference!r} is no reference to a problem. Write 'module:name' in {CONFIG_NAME}."
            )
        with self.active():
            module = self._import(module_name)
        problem = getattr(module, name, None)
        if problem is None:
            named = [key for key, value in vars(module).items() if isinstance(value, Problem)]
            raise NotFoundError.among(f"problem in {module_name}.py", name, named)
        if not isinstance(problem, Problem):
            raise InvalidInputError(f"{reference} is a {type(problem).__name__}, not a shipworthy.Problem.")
        problem.require()
        return problem

    def pickle(self, fitted: Any) -> bytes:
        """What a policy's `fit` returned, as a pickle: for processes of this machine that work on one replay together.

        A release keeps its fitted state as data, and a pickle only where its policy declares `pickled = True`.

        Raises:
            UserCodeError: it cannot be pickled.
        """
        with self.active():
            try:
                return pickle.dumps(fitted, protocol=5)
            except Exception as error:  # pickle raises whatever a user's object raises
                raise UserCodeError(
                    f"What fit() returned, a {type(fitted).__name__}, cannot be pickled: {error}. Return plain data or a "
                    "model whose class stands at the top of a module; no lambda, no open file."
                ) from error

    def unpickle(self, content: bytes) -> Any:
        """The object of bytes that `pickle` made; only for bytes from a process of our own, or whose signature was checked."""
        with self.active():
            return pickle.loads(content)  # noqa: S301  (our own, or signed by somebody trusted)

    def holds(self, module: str) -> bool:
        """Whether a module of that name is made from a file of this folder."""
        return next(self._files_named(module), None) is not None

    def files_behind(self, *functions: Callable[..., Any]) -> list[Path]:
        """The files of the folder that these functions' modules are made of, directly or by importing."""
        names = [function.__module__ for function in functions]
        waiting = [
            self._file_of(sys.modules.get(name)) or self._file_of(self._modules.get(name))  # a namesake may be active
            for name in names
        ]
        found: set[Path] = set()
        while waiting:
            file = waiting.pop()
            if file is None or file in found:
                continue
            found.add(file)
            waiting.extend(self._imports_of(file))
        return sorted(found)

    def digest_of(self, *functions: Callable[..., Any]) -> str:
        """The digest of the code behind these functions."""
        parts = [
            f"{file.relative_to(self.folder)}\0{digest(file.read_bytes())}" for file in self.files_behind(*functions)
        ]
        return digest("\n".join(parts).encode())

    def reference_of(self, problem: Problem, references: Sequence[str]) -> str:
        """Which of some references leads to this problem."""
        return next(reference for reference in references if self.problem(reference) is problem)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Makes this folder's modules the ones that an import finds, and takes them away again."""
        with _IMPORTING:
            if Code._staying is self:
                yield
                return
            namesakes = self._take_namesakes()
            self._enter()
            try:
                yield
            finally:
                self._leave()
                sys.modules.update(namesakes)

    def activate(self) -> None:
        """Makes them so until the code of another folder is activated: for a process that walks one project."""
        with _IMPORTING:
            if Code._staying is self:
                return
            if Code._staying is not None:
                Code._staying._leave()
            self._take_namesakes()
            self._enter()
            Code._staying = self

    def _enter(self) -> None:
        sys.path.insert(0, str(self.folder))
        importlib.invalidate_caches()
        sys.modules.update(self._modules)

    def _leave(self) -> None:
        with suppress(ValueError):  # a test or a user may have taken it off already
            sys.path.remove(str(self.folder))
        for name in [name for name, module in sys.modules.items() if self._file_of(module) is not None]:
            self._modules[name] = sys.modules.pop(name)

    def _take_namesakes(self) -> dict[str, ModuleType]:
        """Takes modules of the same names out of the way: of other folders, or of this one as it was loaded another time."""
        own = {path.stem for path in self.folder.iterdir() if path.suffix == ".py" or path.is_dir()}
        named = [
            name
            for name, module in sys.modules.items()
            if name.split(".")[0] in own and self._modules.get(name) is not module
        ]
        return {name: sys.modules.pop(name) for name in named}

    def _import(self, name: str) -> ModuleType:
        try:
            with _without_bytecode():
                return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name == name:
                files = sorted(file.stem for file in self.folder.glob("*.py"))
                raise NotFoundError.among("module", name, files, f"{CONFIG_NAME} asks for it.") from None
            raise UserCodeError(self._where(error)) from error
        except ShipworthyError:
            raise
        except (Exception, SystemExit) as error:  # whatever the user's module raises while it is imported
            raise UserCodeError(self._where(error)) from error

    def _where(self, error: BaseException) -> str:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(self._inside)]
        place = f" at {Path(frames[-1].filename).relative_to(self.folder)}:{frames[-1].lineno}" if frames else ""
        if isinstance(error, SyntaxError):
            place = f" at {Path(error.filename or '?').name}:{error.lineno}"
        return f"The project's code failed{place}: {type(error).__name__}: {error}"

    def _file_of(self, module: ModuleType | None) -> Path | None:
        """The module's file where it is the user's own: inside the folder, outside any environment in it."""
        name = getattr(module, "__file__", None)
        if not name or not str(name).startswith(self._inside):
            return None
        file = Path(name)
        parts = file.relative_to(self.folder).parts
        foreign = "site-packages" in parts or any(part.startswith(".") for part in parts)
        return None if foreign or any(file.is_relative_to(place) for place in self._environments) else file

    def _imports_of(self, file: Path) -> Iterator[Path]:
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                above = (
                    ".".join(file.relative_to(self.folder).parent.parts[: -(node.level - 1) or None])
                    if node.level
                    else ""
                )
                stem = ".".join(part for part in (above, node.module or "") if part)
                names = [stem, *(f"{stem}.{alias.name}" if stem else alias.name for alias in node.names)]
            else:
                continue
            for name in names:
                yield from self._files_named(name)

    def _files_named(self, name: str) -> Iterator[Path]:
        place = self.folder.joinpath(*name.split("."))
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                yield file


@contextmanager
def _without_bytecode() -> Iterator[None]:
    """Writes no bytecode: it is told from newer code by whole seconds, and a digest by every letter."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def installed_packages() -> list[str]:
    """Every package of this environment with its version, in order: what a result, or a release, was made with."""
    places = [place for place in sys.path if _BROUGHT_BY_RAY not in place]
    return sorted({f"{found.name}=={found.version}" for found in distributions(path=places)})


def only_problem(project: Project) -> str:
    """The name of the project's problem, where there is only one.

    Raises:
        InvalidInputError: there are several, or none.
    """
    names = list(_problems(project)[1])
    if len(names) != 1:
        raise InvalidInputError(f"The project has several problems. Say which one: {', '.join(names)}.")
    return names[0]


def load_problem(project: Project, name: str) -> tuple[Code, Problem]:
    """The problem of that name, with the code that declares it.

    Raises:
        NotFoundError: no problem of the project has that name.
    """
    code, problems = _problems(project)
    if name not in problems:
        raise NotFoundError.among("problem", name, problems)
    return code, problems[name]


def _problems(project: Project) -> tuple[Code, Mapping[str, Problem]]:
    if not project.references:
        raise InvalidInputError(
            f"{project.root / CONFIG_NAME} names no problem. Write problems = ['module:name'] in [project]."
        )
    code = Code(project.root)
    code.activate()
    return code, {problem.name: problem for problem in (code.problem(reference) for reference in project.references)}
