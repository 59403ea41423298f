"""The direction of imports, the mirror of tests, and the bounds that keep the house livable."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "spinexplain"
TESTS = Path(__file__).parent

# Imports point from later layers to earlier ones; within a layer, packages stay apart.
LAYERS = [
    {"errors"},
    {"anatomy", "config", "extents", "progress", "spline"},
    {"workers"},
    {"types"},
    {"geometry", "texts"},
    {"io"},
    {"spine"},
    {"models", "evaluate"},
    {"localizer"},
    {"data"},
    {"train", "explainers"},
    {"findings"},
    {"analysis"},
    {"experiment", "results"},
    {"ui"},
    {"study"},
    {"report", "dicom_out"},
    {"reproduce"},
    {"jobs"},
    {"app", "node"},
    {"cli"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
MODULES = sorted(path for path in SOURCE.rglob("*.py"))
TORCH_FREE = {
    "errors",
    "anatomy",
    "extents",
    "spline",
    "types",
    "geometry",
    "config",
    "texts",
    "progress",
    "workers",
    "io",
    "spine",
    "data",
    "evaluate",
    "findings",
    "results",
    "study",
    "ui",
    "report",
    "dicom_out",
    "jobs",
    "node",
    "cli",
    "app",
}
# Crops are rescaled by torch's grid_sample, whose bits trained weights depend on.
TORCH_ALLOWED = {"data/crops/body_scale.py"}


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _package(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@cache
def _imported(path: Path) -> frozenset[str]:
    names = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import in line {node.lineno}"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return frozenset(names)


def _relative(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def _wrong_imports(path: Path) -> list[str]:
    own = _package(path)
    others = [name.split(".") for name in _imported(path) if name.startswith("spinexplain.")]
    return [
        f"{_relative(path)} must not import {'.'.join(parts)}"
        for parts in others
        if parts[1] in RANK and parts[1] != own and RANK[parts[1]] >= RANK[own]
    ]


def test_imports_point_one_way():
    placed = [path for path in MODULES if path != SOURCE / "__init__.py"]
    assert not {_package(path) for path in placed} - set(RANK), "no place in the layers"
    assert not [fault for path in placed for fault in _wrong_imports(path)]


ENGINE_DOES_NOT_KNOW = (
    "spinexplain.data",
    "spinexplain.models.inputs",
    "spinexplain.train.grading",
)


def test_the_engine_knows_no_crops():
    engine = sorted((SOURCE / "train" / "engine").glob("*.py"))
    known = {
        path.name: [n for n in _imported(path) if n.startswith(ENGINE_DOES_NOT_KNOW)]
        for path in engine
    }
    assert engine
    assert not {name: names for name, names in known.items() if names}


def test_jobs_neither_parse_nor_print():
    jobs = sorted((SOURCE / "jobs").glob("*.py"))
    assert jobs
    for path in jobs:
        roots = {name.split(".")[0] for name in _imported(path)}
        assert not roots & {"typer", "rich", "click"}, path.name
        names = {node.id for node in ast.walk(_tree(path)) if isinstance(node, ast.Name)}
        assert "print" not in names, path.name


def test_torch_is_an_island():
    free = [path for path in MODULES if _package(path) in TORCH_FREE]
    roots = {_relative(path): {name.split(".")[0] for name in _imported(path)} for path in free}
    assert {name for name in roots if "torch" in roots[name]} <= TORCH_ALLOWED


def test_every_module_has_its_test():
    modules = [path.relative_to(SOURCE) for path in MODULES if path.name != "__init__.py"]
    mirrors = [Path("tests", path.parent, f"test_{path.name}") for path in modules]
    assert not [str(path) for path in mirrors if not (TESTS.parent / path).exists()]


MOST_DECISIONS = 100  # of a module: ten functions of the most that one may hold
_BRANCHES = (ast.If, ast.IfExp, ast.For, ast.While, ast.ExceptHandler, ast.match_case, ast.Assert)


def _decisions(tree: ast.AST) -> int:
    """Count the places where code may go one way or another."""
    count = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.BoolOp):
            count += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            count += 1 + len(node.ifs)
        else:
            count += isinstance(node, _BRANCHES)
    return count


def test_complexity_is_bounded():
    """However long a file is, what has to be kept in mind to read it is limited."""
    found = {_relative(path): _decisions(_tree(path)) for path in MODULES}
    assert not {name: n for name, n in found.items() if n > MOST_DECISIONS}, "split the module"


def test_decisions_are_counted():
    code = "if a and b or c:\n    d = [e for e in f if e] if g else h\nfor i in j: pass"
    assert _decisions(ast.parse(code)) == 7


def test_the_complexity_of_functions_is_linted():
    lint = tomllib.loads((TESTS.parent / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert {"C90", "PLR0915"} <= set(lint["select"])
    assert lint["mccabe"]["max-complexity"] <= 10
    excused = {rule for rules in lint["per-file-ignores"].values() for rule in rules}
    assert not {rule for rule in (*excused, *lint["ignore"]) if rule.startswith(("C9", "PLR"))}


def _long_functions(path: Path) -> list[str]:
    found = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            if lines > 50:
                found.append(f"{_relative(path)}: {node.name} has {lines} lines: split it")
    return found


def test_pieces_stay_small():
    assert not [fault for path in MODULES for fault in _long_functions(path)]


FORBIDDEN_WORDS = {"utils", "helpers", "common", "misc"}


def test_names_say_something():
    for path in MODULES:
        assert not FORBIDDEN_WORDS & set(path.relative_to(SOURCE).with_suffix("").parts), path
        classes = [node.name for node in ast.walk(_tree(path)) if isinstance(node, ast.ClassDef)]
        vague = [name for name in classes if name.endswith(("Manager", "Base", "Helper"))]
        assert not vague, path


@pytest.mark.parametrize("word", ["calibration", "stored", "comparison", "summary"])
def test_a_word_names_one_module(word):
    assert len([path for path in MODULES if path.stem == word]) == 1


RIDDLES = re.compile(r"\b(can not|lends?|lent|told|tells?|contact.sheets?)\b", re.IGNORECASE)


def test_words_are_plain():
    for path in MODULES:
        found = RIDDLES.search(path.read_text())
        assert found is None, f"{_relative(path)}: {found.group()}: say it plainly"


def _modules_after(code: str) -> set[str]:
    program = f"{code}\nimport sys; print(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    return {name.split(".")[0] for name in done.stderr.split()}


def test_importing_the_package_imports_neither_torch_nor_numpy():
    assert not {"torch", "numpy", "scipy", "monai"} & _modules_after("import spinexplain")


def test_help_stays_light():
    code = (
        "from spinexplain.cli.main import run\n"
        "try:\n    run(['--help'])\nexcept SystemExit as end:\n    assert not end.code"
    )
    loaded = _modules_after(code)
    assert "typer" in loaded
    heavy = {"torch", "numpy", "scipy", "pandas", "nibabel", "SimpleITK", "matplotlib"}
    assert not heavy & loaded


def test_grading_does_not_import_what_parses_documentation_at_import():
    code = "import spinexplain.findings.assess, spinexplain.io.read, spinexplain.report.html"
    program = f"{code}\nimport sys; print('scipy.stats' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"]
