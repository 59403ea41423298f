import json
import shutil


def test_prototypes_are_varied(spinexplain, toy_cohort, tiny_preset, tmp_path):
    out = tmp_path / "out"
    varied = ("--preset", tiny_preset, "--over", "prototypes=1,2", "--folds", 2, "--frozen-trunk")
    varied += ("--seeds", 2)
    cohort = toy_cohort().path
    ended = spinexplain("ablate", cohort, *varied, "-o", out)
    assert ended.code == 0, ended.err
    assert "frozen trunk" in ended.out
    assert "Noise floor: 2 identical trainings" in ended.out
    results = json.loads((out / "results.json").read_text())
    assert results["factors"]["keys"] == ["head.prototypes_per_class"]
    base = results["entries"][0]["name"]
    assert {pair["second"] for pair in results["comparisons"]} == {base}
    shutil.rmtree(out / "runs" / base / "fold-1")
    ended = spinexplain("ablate", cohort, *varied, "-o", out, "--so-far")
    assert ended.code == 0, ended.err
    assert "the 1 fold finished so far" in ended.out
    results = json.loads((out / "results.json").read_text())
    assert results["factors"]["base"] == {"head.prototypes_per_class": 2}


def test_a_factor_without_values(spinexplain, toy_cohort, tmp_path):
    ended = spinexplain(
        "ablate", toy_cohort(n=6).path, "--over", "prototypes", "-o", tmp_path / "o"
    )
    assert ended.code == 2
    assert "has no values" in ended.line
