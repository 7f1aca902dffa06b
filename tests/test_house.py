"""The rules of the house that no linter knows: names, sizes, imports, a documented face, no traces of a machine."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

import shipworthy

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "shipworthy"
MODULES = sorted(SOURCE.rglob("*.py"))
FRONT_DOOR = SOURCE / "__init__.py"
LAZY = (FRONT_DOOR, SOURCE / "analysis" / "__init__.py")  # they import a name when it is used, and type it so
BANNED_MODULES = {"utils", "helpers", "common", "misc", "core", "base", "manager", "types"}
BANNED_ENDINGS = ("Manager", "Helper", "Util", "Processor", "Impl", "Data", "Info")
LONGEST_FILE = 400

# Put together here, so that this file does not find itself.
MACHINE_PATHS = (*(f"/{folder}/" for folder in ("work", "root", "home")), "/".join(("file:", "", "", "opt")))
REGISTRIES = (".".join(("pypi", "org")), ".".join(("pythonhosted", "org")), "-".join(("index", "url")))
CONFIGURATION = ("*.toml", "*.lock", "*.cfg", "*.ini", "Makefile", ".ci/run")
NOT_TEXT = {".parquet", ".png", ".ico", ".woff2"}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _faults(found: Callable[[ast.Module], Iterator[str]], paths: list[Path] = MODULES) -> list[str]:
    """Asks `found` about each module; what it yields comes back with the file's name in front."""
    return [f"{_name(path)}: {fault}" for path in paths for fault in found(_tree(path))]


def _project_files() -> list[Path]:
    """Returns the files of the project: what git knows or would take, or every file where there is no git."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode == 0 and listing.stdout:
        paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:
        hidden = (".venv", ".git", ".ruff_cache", ".mypy_cache", ".pytest_cache", ".hypothesis", "__pycache__", "dist")
        paths = [path for path in ROOT.rglob("*") if not set(hidden) & set(path.relative_to(ROOT).parts)]
    return sorted(path for path in paths if path.is_file() and path.suffix not in {*NOT_TEXT, ".pyc"})


def _lines_with(words: tuple[str, ...], paths: list[Path]) -> list[str]:
    return [
        f"{_name(path)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if any(word in line for word in words)
    ]


def test_the_rules_look_at_the_whole_package():
    """The rules below read the package that is imported, and find more than its front door."""
    assert Path(shipworthy.__file__) in MODULES
    assert len(MODULES) > 50


def test_every_module_says_what_it_is_for():
    """Every module of the package and of the tests opens with a docstring."""
    paths = [*MODULES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]
    silent = [_name(path) for path in paths if not ast.get_docstring(_tree(path))]
    assert silent == []


def test_no_module_has_a_name_that_says_nothing():
    """No module or package is called utils, helpers, common and the like."""
    drawers = [_name(path) for path in MODULES if {path.stem, path.parent.name} & BANNED_MODULES]
    assert drawers == []


def test_no_class_is_named_after_a_role():
    """No class ends in Manager, Helper, Data and the like."""

    def roles(tree: ast.Module) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name.endswith(BANNED_ENDINGS):
                yield f"class {node.name}, line {node.lineno}"

    assert _faults(roles) == []


def test_no_file_is_longer_than_one_sitting():
    """No source file is longer than 400 lines."""
    lengths = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def test_no_function_imports_our_own_modules():
    """Our own modules are imported at the top of a file, so that the layers which are linted are the real ones."""

    def deferred(tree: ast.Module) -> Iterator[str]:
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for node in ast.walk(function):
                if any(name.partition(".")[0] == "shipworthy" for name in _imported(node)):
                    yield f"line {node.lineno} in {function.name}"  # type: ignore[attr-defined]

    assert _faults(deferred) == []


def test_no_import_hides_behind_the_type_checker():
    """No module imports one of ours under `if TYPE_CHECKING`, where a cycle would hide.

    The front door alone does, because it loads its names when they are first used; nothing imports it.
    """

    def hidden(tree: ast.Module) -> Iterator[str]:
        for block in ast.walk(tree):
            if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test):
                for node in ast.walk(block):
                    if any(name.partition(".")[0] == "shipworthy" for name in _imported(node)):
                        yield f"line {block.lineno}"

    assert _faults(hidden, [path for path in MODULES if path not in LAZY]) == []


def _imported(node: ast.AST) -> list[str]:
    """Returns the modules which an import statement names; ours, where it is relative."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return ["shipworthy" if node.level else node.module or ""]
    return []


def test_the_arithmetic_of_proof_needs_three_libraries():
    """The statistics, and every module that the verdict alone loads, import nothing foreign but numpy, polars and scipy."""
    loaded = subprocess.run(
        [sys.executable, "-c", "import shipworthy.analysis as a; a.verdict; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    files = {path: ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts) for path in MODULES}
    statistics = [path for path, name in files.items() if name.startswith("shipworthy.statistics")]
    judging = [path for path, name in files.items() if name.removesuffix(".__init__") in loaded]
    assert len(statistics) > 15
    assert SOURCE / "analysis" / "judgement.py" in judging

    def foreign(tree: ast.Module) -> Iterator[str]:
        for node in tree.body:
            for name in _imported(node):
                top = name.partition(".")[0]
                if top not in {"shipworthy", "numpy", "polars", "scipy", *sys.stdlib_module_names}:
                    yield f"imports {name}"

    assert _faults(foreign, [*statistics, *judging]) == []


def test_only_the_command_line_prints():
    """Outside cli/ nothing calls print: a library returns what it has to say."""

    def prints(tree: ast.Module) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                yield f"line {node.lineno}"

    assert _faults(prints, [path for path in MODULES if "cli" not in path.relative_to(SOURCE).parts]) == []


def test_the_front_door_is_what_it_says():
    """Every name in `shipworthy.__all__` is there, once, and is the very object that type checkers are told of."""
    told = {
        alias.asname or alias.name: getattr(import_module(node.module), alias.name)
        for node in ast.walk(_tree(FRONT_DOOR))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("shipworthy")
        for alias in node.names
    }
    opened = {name: getattr(shipworthy, name) for name in shipworthy.__all__}
    assert len(opened) == len(shipworthy.__all__)
    assert opened == told


@pytest.mark.parametrize("name", shipworthy.__all__)
def test_every_public_name_is_documented(name: str):
    """Every name of the front door stands in backticks, or in code, in the README or a page of docs/."""
    pages = [*sorted((ROOT / "docs").rglob("*.md")), *ROOT.glob("README.md")]
    assert any(_speaks_of(name, page.read_text(encoding="utf-8")) for page in pages), (
        f"shipworthy.{name} is public, and neither README.md nor docs/ has a word on it"
    )


def _speaks_of(name: str, page: str) -> bool:
    code = re.findall(r"```.*?```|`[^`\n]+`", page, flags=re.DOTALL)
    return any(re.search(rf"\b{re.escape(name)}\b", piece) for piece in code)


def test_no_file_remembers_the_machine_it_was_written_on():
    """No text file of the project holds a path of somebody's machine."""
    assert _lines_with(MACHINE_PATHS, _project_files()) == []


def test_no_configuration_names_a_registry():
    """Lock and configuration name no package registry, so that they work behind any."""
    paths = [path for path in _project_files() if any(path.relative_to(ROOT).match(glob) for glob in CONFIGURATION)]
    assert ROOT / "requirements.lock" in paths
    assert _lines_with(REGISTRIES, paths) == []
    assert _lines_with(("://",), [ROOT / "requirements.lock"]) == []
