"""The arrows of the package point one way, and importing it stays cheap."""

import ast
import subprocess
import sys
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
    "claims": set(),
    "data": {"_arguments"},
    "networks": {"_arguments"},
    "training": {"_arguments"},
    "plots": {"_arguments"},
    "symmetry": {"_arguments"},
    "optim": {"_arguments", "_sums"},
    "typeset": {"_arguments"},
    "shift": {"_arguments"},
    "checks": {"_arguments", "data", "networks", "training"},
    "book": {"claims", "checks"},
    "grading": {"book", "checks"},
    "__init__": set(),
}
# Heavy libraries and the only parts that may import them when they are imported themselves.
OWNERS = {
    "matplotlib": {"plots"},
    "sklearn": set(),
    "scipy": set(),
    "sphinx": {"book"},
    "nbformat": {"book", "grading"},
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
    modules = set().union(*(imported_modules(ast.parse(path.read_text())) for path in paths))
    assert {name.split(".")[1] for name in modules if name.startswith("stablenets.")} - {part} == ARROWS[part]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_stay_with_their_owners(path):
    top_level = [node for node in ast.parse(path.read_text()).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    libraries = {name.split(".")[0] for name in imported_modules(ast.Module(top_level, []))}
    assert {library for library in libraries & OWNERS.keys() if part_of(path) not in OWNERS[library]} == set()


def test_importing_the_package_loads_no_heavy_library():
    code = f"import stablenets, sys; print([name for name in {list(OWNERS)} + ['torch'] if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_hold_one_idea(path):
    assert len(path.read_text().splitlines()) <= 300


def test_every_part_is_placed():
    assert {part_of(path) for path in PACKAGE.rglob("*.py")} == ARROWS.keys()
