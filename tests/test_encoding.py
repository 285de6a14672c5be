"""Text is UTF-8 wherever it is read or written, and never what a machine's language happens to be."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from book_rules import ROOT

FOLDERS = ("src", "tests", "examples", "benchmarks")
FILES = sorted([*(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")), *ROOT.glob("*.py")])


def of_unknown_encoding(tree: ast.AST) -> Iterator[str]:
    """Calls that read or write text, of a file or of another process, and leave its encoding to the machine."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        match call.func:
            case ast.Attribute(attr="read_text" | "write_text", value=owner):
                text = ast.unparse(owner) != "files"  # stablenets.masters.files, which writes UTF-8
            case ast.Attribute(attr="open"):
                text = opens_text([*call.args, *keywords.values()])
            case ast.Name(id="open"):
                text = opens_text([*call.args[1:], *keywords.values()])
            case ast.Attribute(attr="run" | "Popen" | "check_output"):
                text = not keywords.keys().isdisjoint({"text", "universal_newlines"})
            case _:
                continue
        if text and "encoding" not in keywords:
            yield f"line {call.lineno}: {ast.unparse(call)}"


def opens_text(arguments: list[ast.expr]) -> bool:
    """Whether a file is opened as text, as it is without a mode; what opens by flags or by name is no file of text."""
    modes = [argument.value for argument in arguments if isinstance(argument, ast.Constant)]
    return not arguments or any(isinstance(mode, str) and mode[:1] in "rwax" and "b" not in mode for mode in modes)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_encoding_is_named(path: Path):
    assert list(of_unknown_encoding(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("path.read_text()", True),
        ("path.read_text(encoding='utf-8')", False),
        ("open(path)", True),
        ("open(path, 'w')", True),
        ("open(path, mode='rb')", False),
        ("path.open()", True),
        ("path.open('rb')", False),
        ("os.open(path, os.O_RDONLY)", False),
        ("subprocess.run(command, text=True)", True),
        ("subprocess.run(command, stdout=PIPE)", False),
    ],
)
def test_calls_that_leave_the_encoding_to_the_machine_are_found(code, found):
    assert bool(list(of_unknown_encoding(ast.parse(code)))) == found
