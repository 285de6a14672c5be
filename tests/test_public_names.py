"""What is public has one door, a docstring, a place in the reference, and tests that are found by its name."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from book_rules import PATHS, ROOT, code_cells

PACKAGE = ROOT / "src" / "stablenets"
MODULES = sorted(PACKAGE.rglob("*.py"))
# Parts of the package that are commands and machinery, not functions for readers: the reference leaves them out.
MACHINERY = {"book", "grading", "masters", "phrases"}
# Parts whose public definitions do not all have a docstring yet.
LATER = {"book", "checks", "grading", "masters"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def is_public(name: str) -> bool:
    return not name.startswith("_")


def definitions(body: list[ast.stmt], prefix: str = "") -> list[tuple[str, ast.AST]]:
    """Public functions and classes, and the public methods of the latter."""
    found = []
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and is_public(node.name):
            found.append((prefix + node.name, node))
            if isinstance(node, ast.ClassDef):
                found += definitions(node.body, f"{node.name}.")
    return found


def gathered(path: Path) -> set[str]:
    """The names in ``__all__``."""
    lists = [
        node.value
        for node in tree(path).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    return {name for names in lists for name in ast.literal_eval(names)}


def imports(module: ast.AST) -> list[tuple[str, str]]:
    """Every ``from module import name`` of this package."""
    nodes = (node for node in ast.walk(module) if isinstance(node, ast.ImportFrom))
    return [(n.module, a.name) for n in nodes if (n.module or "").split(".")[0] == "stablenets" for a in n.names]


@cache
def origin_of(module: str, name: str) -> str:
    """The module that defines what can be imported as ``name`` from ``module``."""
    path = next((path for path in MODULES if name_of(path) == module), None)
    sources = [source for source, found in imports(tree(path)) if found == name and source != module] if path else []
    return origin_of(sources[0], name) if sources else module


@cache
def doors() -> dict[str, dict[str, str]]:
    """The modules that names are imported from, and for each of their names the module that defines it.

    A package whose ``__init__`` gathers names is the door to all that lies in it; of another one each module is a door.
    """
    packages = {name_of(path): path for path in MODULES if path.name == "__init__.py" and gathered(path)}
    found = {}
    for path in MODULES:
        module = name_of(path)
        inside = any(module.startswith(f"{package}.") for package in packages)
        if inside or not all(map(is_public, module.split("."))):
            continue
        own = {name: module for name, _ in definitions(tree(path).body) if "." not in name}
        found[module] = own | {name: origin_of(module, name) for name in gathered(path)}
    return {module: names for module, names in found.items() if names}


def test_no_public_name_has_two_doors():
    behind: dict[tuple[str, str], list[str]] = {}
    for door, names in doors().items():
        for name, origin in names.items():
            behind.setdefault((origin, name), []).append(door)
    assert {name: found for name, found in behind.items() if len(found) > 1} == {}


def through_other_doors(module: ast.AST, part: str = "") -> list[str]:
    """The imports of public names that go past their door, but for those inside of their own part of the package."""
    door_of = {(origin, name): door for door, names in doors().items() for name, origin in names.items()}
    taken = {(source, name): door_of.get((origin_of(source, name), name)) for source, name in imports(module)}
    return [
        f"{name} comes from {door}, not from {source}"
        for (source, name), door in taken.items()
        if door not in (None, source) and part != source.split(".")[1]
    ]


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks", "examples"])
def test_code_imports_names_through_their_door(folder):
    for path in (ROOT / folder).rglob("*.py"):
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py") if path.is_relative_to(PACKAGE) else ""
        assert through_other_doors(tree(path), part) == [], path


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_notebooks_import_names_through_their_door(path):
    for cell in code_cells(path):
        if "stablenets" in cell.source:
            assert through_other_doors(ast.parse(cell.source)) == []


def test_reference_lists_each_door_once():
    listed = re.findall(
        r"automodule:: (\S+)\n((?:   :.*\n)*)", (ROOT / "reference" / "api.md").read_text(encoding="utf-8")
    )
    expected = {door for door in doors() if door.split(".")[1] not in MACHINERY}
    assert sorted(door for door, _ in listed) == sorted(expected)
    gathering = {door for door, names in doors().items() if set(names.values()) != {door}}
    assert {door for door, options in listed if ":imported-members:" in options} == gathering & expected


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.relative_to(PACKAGE).parts[0] not in LATER], ids=name_of
)
def test_public_definitions_have_a_docstring(path):
    assert [name for name, node in definitions(tree(path).body) if not ast.get_docstring(node)] == []


def test_tests_are_found_by_the_name_of_what_they_test():
    parts = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES}
    tests = {
        path.stem.removeprefix("test_")
        for path in (ROOT / "tests").iterdir()
        if list(path.glob("test_*.py")) or path.suffix == ".py"
    }
    assert {part for part in parts if is_public(part)} - tests == set()
