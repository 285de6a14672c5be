"""The arrows of the package point one way, and importing it stays cheap."""

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "stablenets"
# A part of the package imports the parts at the right of its line, and nothing else of the package.
ARROWS = {
    "_arguments": set(),
    "activations": {"_arguments"},
    "meanfield": {"_arguments", "activations"},
    "init": {"_arguments", "activations", "meanfield"},
    "products": {"_arguments"},
    "_sums": set(),
    "propagation": {"_sums"},
    "phrases": set(),
    "claims": {"phrases"},
    "data": {"_arguments"},
    "networks": {"_arguments"},
    "training": {"_arguments"},
    "plots": {"_arguments"},
    "symmetry": {"_arguments"},
    "optim": {"_arguments", "_sums"},
    "typeset": {"_arguments"},
    "shift": {"_arguments"},
    "checks": {"_arguments", "data", "networks", "phrases", "training"},
    "masters": {"checks"},
    "book": {"claims", "checks", "masters", "phrases"},
    "grading": {"checks", "masters"},
    "__init__": set(),
}
# Heavy libraries and the only parts that may import them when they are imported themselves.
OWNERS = {
    "matplotlib": {"plots"},
    "sklearn": set(),
    "scipy": set(),
    "sphinx": {"book"},
    "nbformat": {"book", "grading", "masters"},
    "yaml": {"book"},
}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(tree: ast.AST) -> set[str]:
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


@pytest.mark.parametrize("part", ARROWS)
def test_imports_follow_the_arrows_and_no_arrow_is_stale(part):
    paths = (path for path in PACKAGE.rglob("*.py") if part_of(path) == part)
    modules = set().union(*(imported_modules(ast.parse(path.read_text(encoding="utf-8"))) for path in paths))
    assert {name.split(".")[1] for name in modules if name.startswith("stablenets.")} - {part} == ARROWS[part]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_stay_with_their_owners(path):
    top_level = [
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    libraries = {name.split(".")[0] for name in imported_modules(ast.Module(top_level, []))}
    assert {library for library in libraries & OWNERS.keys() if part_of(path) not in OWNERS[library]} == set()


def test_importing_the_package_loads_no_heavy_library():
    code = f"import stablenets, sys; print([name for name in {list(OWNERS)} + ['torch'] if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout
    assert printed.strip() == "[]"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_hold_one_idea(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_no_two_modules_of_the_rooms_around_the_masters_have_one_name():
    paths = (path for room in ("masters", "book", "grading") for path in (PACKAGE / room).rglob("*.py"))
    names = Counter(path.stem for path in paths if path.stem != "__init__")
    assert {name for name, count in names.items() if count > 1} == set()


def test_every_part_is_placed():
    assert {part_of(path) for path in PACKAGE.rglob("*.py")} == ARROWS.keys()
