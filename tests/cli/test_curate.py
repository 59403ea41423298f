import json

import pytest

REJECT = {"choice": "not meaningful", "reason": "outside the vertebra"}


def test_fine_tuning_from_the_command_line(spinexplain, finished_run, decide, region, tmp_path):
    painted = {"choice": "never this region", "region": region}
    decisions = decide({3: painted, 1: {"choice": "keep"}})
    out = tmp_path / "run2"
    ended = spinexplain(
        "curate", finished_run[0], decisions, "--fine-tune", "--steps", 2, "-o", out
    )
    assert ended.code == 0, ended.err
    assert "class-average F1: " in ended.out
    entry = json.loads((out / "audit.json").read_text())["entries"][0]
    assert entry["reader"] == "reader 1"
    assert entry["settings"]["steps"] == 2
    page = (out / "atlas" / "atlas.html").read_text()
    assert "Side by side" in page
    graded = spinexplain("prototypes", out, "-o", tmp_path / "atlas")
    assert graded.code == 0, graded.err


def test_a_cohort_that_the_model_never_saw(
    spinexplain, finished_run, other_cohort, decide, tmp_path
):
    out = tmp_path / "run2"
    ended = spinexplain(
        *("curate", finished_run[0], decide({2: REJECT}), "--replace", "-o", out),
        *("--cohort", other_cohort, "--no-atlas"),
    )
    assert ended.code == 0, ended.err
    entry = json.loads((out / "audit.json").read_text())["entries"][0]
    assert not entry["cohort"]["learned_from"]
    assert "did not learn from" in ended.err
    described = json.loads((out / "bundle" / "bundle.json").read_text())
    assert "; curated (replace) on " in described["trained_on"]


@pytest.mark.parametrize(
    ("chosen", "changes", "said"),
    [
        ({3: REJECT, 4: REJECT}, {}, "all prototypes of class G2"),
        ({1: {"choice": "keep"}}, {}, "reject no prototype"),
        ({4: REJECT}, {"schema": "x"}, "schema"),
        (
            {4: REJECT},
            {"model": {"name": "m", "version": "1", "weights_sha256": "0" * 64}},
            "decided about m 1",
        ),
        ({4: {"choice": "never this region", "region": ["01"]}}, {}, "expected 8 rows of 8"),
    ],
)
def test_wrong_decisions_are_one_line_and_write_nothing(
    chosen, changes, said, spinexplain, finished_run, decide, tmp_path
):
    decisions = decide(chosen, **changes)
    before = sorted(tmp_path.iterdir())
    ended = spinexplain("curate", finished_run[0], decisions, "--remove", "-o", tmp_path / "run2")
    assert ended.code == 2
    assert said in ended.line
    assert sorted(tmp_path.iterdir()) == before


def test_wrong_options_are_one_line(spinexplain, finished_run, decide, tmp_path):
    decisions = decide({4: REJECT})
    both = spinexplain(
        "curate", finished_run[0], decisions, "--remove", "--replace", "-o", tmp_path / "x"
    )
    assert "2 of --remove" in both.line
    assert (
        "expected one"
        in spinexplain("curate", finished_run[0], decisions, "-o", tmp_path / "x").line
    )
    none = spinexplain("curate", finished_run[0], "--remove", "-o", tmp_path / "x")
    assert "DECISIONS is missing" in none.line
    shipped = spinexplain(
        "curate", "protoverse-phantom", decisions, "--remove", "-o", tmp_path / "x"
    )
    assert "decided about tiny-run" in shipped.line
    assert not (tmp_path / "x").exists()


def test_rolling_back_from_the_command_line(spinexplain, finished_run, decide, tmp_path):
    out = tmp_path / "run2"
    spinexplain("curate", finished_run[0], decide({4: REJECT}), "--remove", "--no-atlas", "-o", out)
    ended = spinexplain("curate", out, "--roll-back", "-o", tmp_path / "back")
    assert ended.code == 0, ended.err
    assert "tiny-run 1 as it was" in ended.out
    for path in (finished_run[0] / "bundle").iterdir():
        assert (tmp_path / "back" / "bundle" / path.name).read_bytes() == path.read_bytes()
    assert (
        "keeps no earlier"
        in spinexplain("curate", tmp_path / "back", "--roll-back", "-o", tmp_path / "y").line
    )
