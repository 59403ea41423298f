"""The README and the docs say what is there."""

import re
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spinexplain.cli.main import app

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [README, CONTRIBUTING, *DOCS]
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"\bspinexplain (study [a-z]+|[a-z]+(?:-[a-z]+)*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def _shell_lines(text: str) -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL)
    joined = "\n".join(blocks).replace("\\\n", " ")
    return [line for line in joined.splitlines() if "spinexplain " in line]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@cache
def _help_of(command: str) -> tuple[int, str]:
    """Return how ``spinexplain COMMAND --help`` ends and what it says."""
    result = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200"})
    return result.exit_code, result.output


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_and_option_shown_exists(page):
    for line in _shell_lines(page.read_text()):
        for command in COMMAND.findall(line):
            exit_code, shown = _help_of(command)
            assert exit_code == 0, line
            for option in OPTION.findall(line):
                assert option in shown, f"{line}: no {option}"


def test_the_readme_stays_short():
    assert len(README.read_text().splitlines()) <= 150


def test_hooks_check_what_ci_checks():
    import yaml

    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    checked = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe[1].splitlines()]
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local"
    assert [hook["entry"] for hook in local["hooks"]] == checked
    assert {hook["language"] for hook in local["hooks"]} == {"system"}


def test_contributing_names_what_is_there():
    text = CONTRIBUTING.read_text()
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"make ([a-z]+)", text)) <= set(targets)
    for path in re.findall(r"[\w./]+/[\w./]+\.(?:py|sh)|\.ci/run", text):
        assert (ROOT / path).exists(), path


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text()
    for page in DOCS:
        name = page.relative_to(ROOT / "docs").as_posix()
        if not name.startswith(("decisions/", "results/")):
            assert name in navigation, name
    index = (ROOT / "docs" / "decisions" / "index.md").read_text()
    for page in (ROOT / "docs" / "decisions").glob("*.md"):
        assert page.name == "index.md" or page.name in index, page.name


def test_the_benchmarks_page_is_written_from_its_results():
    """No figure is typed by hand: the page is what benchmarks/run.py makes of the results."""
    import importlib.util
    import json

    spec = importlib.util.spec_from_file_location("bench_run", ROOT / "benchmarks" / "run.py")
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    results = sorted((ROOT / "benchmarks" / "results").glob("*.json"))
    made = run.HEAD + "".join(run.table(json.loads(path.read_text())) for path in results)
    assert (ROOT / "docs" / "benchmarks.md").read_text() == made


def test_the_readmes_example_runs(tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    scans = ROOT / "src" / "spinexplain" / "data" / "examples"
    (tmp_path / "ct.nii.gz").symlink_to(scans / "lumbar_ct.nii.gz")
    (tmp_path / "vertebrae.nii.gz").symlink_to(scans / "lumbar_seg-vert_msk.nii.gz")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    assert "T12 not assessable" in capsys.readouterr().out
    assert (tmp_path / "report.html").exists()


def _script(name):
    """Import a script of the repository by its path."""
    import importlib.util

    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_bars_of_addressed_prototypes_are_written_from_what_was_stored():
    bars = _script("evidence_table")
    page = bars.DOCUMENT.read_text()
    for name, store in bars.STORES.items():
        assert bars.written(page, name, bars.table(bars.stored(store))) == page
    for name, store in bars.REAL.items():
        assert bars.written(page, name, bars.real_table(bars.stored(store))) == page
    assert bars.written(page, "twins", bars.twin_words(bars.stored(bars.TWINS))) == page


def test_pairs_that_do_not_fall_are_counted_by_kind():
    bars = _script("evidence_table")
    kinds = [("G2", "biconcave", "T5", ["endplate_pit"]), ("G3", "wedge", "L1", [])]
    names = ("grade", "shape", "level", "look_alikes")
    fractures = [dict(zip(names, one, strict=True)) | {"fractured_beside": False} for one in kinds]
    falls = {"strength": 2.0, "twin": 0.5, "called": "G3", "called_twin": "G0"}
    still = falls | {"twin": 2.5}
    found = {"preset": "hard", "fractures": fractures}
    words = bars.twin_words(
        found | {"pairs": {"version 4": [still, falls], "version 2": [falls, still]}}
    )
    assert "moderate 1 of 1, severe 0 of 1, biconcave 1 of 1, wedge 0 of 1" in words
    assert "T1 to T8 1 of 1, T9 to L5 0 of 1" in words
    assert "In 1 of the 1 the grade falls nevertheless" in words
    assert "1 pairs do not fall, 0 of them the same" in words


def test_a_plain_classifier_has_its_f1_alone_in_the_table_of_bars():
    bars = _script("evidence_table")
    found = {"classifier": {name: {"f1": [0.8, 0.75, 0.85]} for name in bars.PRESETS}}
    lines = bars.table(found).splitlines()
    assert lines[0] == "| on held-out phantoms | bar | classifier |"
    told = [line for line in lines[2:] if not line.endswith("| – |")]
    assert len(told) == 3
    assert all(line.endswith("| 0.80 (0.75 to 0.85) |") for line in told)


HOUSE = ROOT / "docs" / "concepts" / "house.md"
PACKAGE = ROOT / "src" / "spinexplain"


def _rooms_of_the_page():
    tree = re.search(r"```text\n(.*?)```", HOUSE.read_text(), flags=re.DOTALL)[1]
    return [line.split()[0] for line in tree.splitlines()]


def _rooms_of_the_source():
    folders = [path for path in PACKAGE.rglob("*") if path.is_dir() and any(path.glob("[!_.]*.*"))]
    inside = [str(path.relative_to(PACKAGE)) for path in folders if path.name != "__pycache__"]
    models = [room for room in inside if room.startswith("models/shipped/")]
    parents = [str(path.parent.relative_to(PACKAGE)) for path in PACKAGE.rglob("__init__.py")]
    alone = [path.stem for path in PACKAGE.glob("[!_]*.py")]
    shipped = ["models/shipped"] if models else []
    return sorted({*inside, *alone, *parents, *shipped} - {".", *models})


def test_the_page_of_the_house_lists_the_rooms_that_are_there():
    listed = _rooms_of_the_page()
    there = _rooms_of_the_source()
    assert set(there) - set(listed) == set(), "add these rooms to docs/concepts/house.md"
    assert set(listed) - set(there) == set(), "docs/concepts/house.md lists rooms that are gone"
    assert listed == sorted(listed)


def test_the_drawing_of_the_house_shows_every_room():
    drawn = re.findall(r'<text x="[^"]+" y="[^"]+">(\w+)</text>', _drawing("house.svg"))
    top = [room for room in _rooms_of_the_source() if "/" not in room]
    assert sorted(drawn) == top, "run make docs-pages"


def _drawing(name):
    return (ROOT / "docs" / "images" / name).read_text(encoding="utf-8")


def test_ways_through_the_house_pass_rooms_that_are_there():
    text = HOUSE.read_text().partition("## A CT")[2]
    rooms = _rooms_of_the_source()
    for name in re.findall(r"`([a-z_./]+)`", text.replace("`result.json`", "")):
        known = name.split(".")[0] in rooms or name == "spinexplain.progress"
        assert known or name in {"stage", "step", "note", "result.json", "spinexplain.workers"}, (
            name
        )
