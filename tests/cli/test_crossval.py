import json


def test_two_entries_are_compared(spinexplain, toy_cohort, tiny_preset, tmp_path):
    cohort, out = toy_cohort().path, tmp_path / "out"
    arguments = [
        "crossval",
        f"{tiny_preset}:head.kind=linear,as=linear",
        tiny_preset,
        cohort,
        "--folds",
        2,
        "-o",
        out,
    ]
    ended = spinexplain(*arguments)
    assert ended.code == 0, ended.err
    assert "| tiny − linear |" in ended.out
    assert "not computed" in ended.out  # two folds are too few for Wilcoxon
    results = json.loads((out / "results.json").read_text())
    assert results["folds"] == 2
    assert (out / "summary.md").read_text() in ended.out
    assert spinexplain(*arguments).code == 0


def test_a_cohort_alone_is_no_comparison(spinexplain, toy_cohort, tmp_path):
    ended = spinexplain("crossval", toy_cohort(n=6).path, "-o", tmp_path / "out")
    assert ended.code == 2
    assert "expected at least one" in ended.line


def test_an_unknown_setting_suggests_the_near_one(spinexplain, toy_cohort, tmp_path):
    ended = spinexplain(
        "crossval", "protoverse:loss.lamda_div=0", toy_cohort(n=6).path, "-o", tmp_path / "out"
    )
    assert ended.code == 2
    assert '"lambda_div"' in ended.line
