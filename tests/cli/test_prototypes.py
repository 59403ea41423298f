import json
import shutil

import pytest


def test_a_run_finds_its_cohort_itself(spinexplain, finished_run, tmp_path):
    run, _ = finished_run
    ended = spinexplain("prototypes", run, "-o", tmp_path / "atlas")
    assert ended.code == 0, ended.err
    assert "lie on the target" in ended.out
    written = json.loads((tmp_path / "atlas" / "atlas.json").read_text())["models"][0]
    assert sum(written["crops"].values()) > 30
    assert (tmp_path / "atlas" / "atlas.html").stat().st_size > 100_000


def test_beside_another_run_and_without_pixels(spinexplain, finished_run, tmp_path):
    run, cohort = finished_run
    out = tmp_path / "atlas"
    ended = spinexplain(
        "prototypes", run, "--beside", run, "--cohort", cohort, "--redact", "-o", out
    )
    assert ended.code == 0, ended.err
    content = (out / "atlas.html").read_text()
    assert "Side by side" in content
    assert "pixels withheld" in content


def test_the_shipped_model_alone(spinexplain, tmp_path):
    ended = spinexplain("prototypes", "protoverse-phantom", "-o", tmp_path / "atlas")
    assert ended.code == 0, ended.err
    assert "Made from the model alone" in (tmp_path / "atlas" / "atlas.html").read_text()


def test_another_cohort_is_refused(spinexplain, finished_run, other_cohort, tmp_path):
    ended = spinexplain(
        "prototypes", finished_run[0], "--cohort", other_cohort, "-o", tmp_path / "atlas"
    )
    assert ended.code == 2
    assert "learned from other crops" in ended.line
    assert not (tmp_path / "atlas").exists()


@pytest.mark.parametrize(
    ("breaks", "named"),
    [
        (lambda run: shutil.rmtree(run / "bundle"), "--bundle"),
        (lambda run: (run / "bundle" / "prototypes.safetensors").unlink(), "prototypes.safetens"),
        (lambda run: (run / "joint-1.ckpt").write_bytes(b"x"), "joint-1.ckpt"),
        (lambda run: (run / "cohort.json").write_text("["), "cohort.json"),
        (lambda run: (run / "cohort.json").write_text('{"path": "/nowhere"}'), "nowhere"),
    ],
)
def test_missing_and_broken_files_are_named(breaks, named, spinexplain, finished_run, tmp_path):
    run = shutil.copytree(finished_run[0], tmp_path / "run")
    breaks(run)
    ended = spinexplain("prototypes", run, "-o", tmp_path / "atlas")
    assert ended.code == 2
    assert named in ended.line


def test_a_run_that_is_none(spinexplain, tmp_path):
    ended = spinexplain("prototypes", tmp_path / "nothing", "-o", tmp_path / "atlas")
    assert ended.code == 2
    assert "shipped model" in ended.line


def test_a_model_of_another_task_has_an_atlas_too(spinexplain, squares_cohort, tiny_toml, tmp_path):
    run, out = tmp_path / "run", tmp_path / "atlas"
    ended = spinexplain(
        "train",
        f"{tiny_toml}:task=fracture,projection.allow_duplicates=true",
        squares_cohort(),
        "-o",
        run,
    )
    assert ended.code == 0, ended.err
    assert json.loads((run / "bundle" / "bundle.json").read_text())["task"] == {
        "classes": ["no fracture", "fracture"],
        "grades": [["G0"], ["G2", "G3"]],
        "healthy": "no fracture",
    }
    ended = spinexplain("prototypes", run, "-o", out)
    assert ended.code == 0, ended.err
    told = json.loads((out / "atlas.json").read_text())["models"][0]
    assert min(told["crops"]["no fracture"], told["crops"]["fracture"]) > 0
