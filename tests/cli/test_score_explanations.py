import shutil


def test_the_command_scores_and_says_where(spinexplain, scored, tmp_path):
    request, out = scored.request, tmp_path / "scores"
    shutil.copytree(request.out, out)
    ended = spinexplain(
        "score-explanations",
        "protoverse-phantom",
        "placement",
        "-o",
        out,
        "--explainers",
        "prototypes,gradcam",
        "--explainers",
        "dissection",
        "--vertebrae",
        request.vertebrae,
        "--steps",
        request.steps,
        "--bench-seed",
        request.bench_seed,
    )
    assert ended.code == 0, ended.err
    assert "protoverse-phantom prototypes: endplate" in ended.out
    assert f"page: {out / 'index.html'}" in ended.out


def test_a_model_alone_is_not_enough(spinexplain, tmp_path):
    ended = spinexplain("score-explanations", "protoverse-phantom", "-o", tmp_path / "x")
    assert ended.code == 2
    assert "expected at least one model and a cohort" in ended.line


def test_a_wrong_explainer_is_one_line(spinexplain, tmp_path):
    ended = spinexplain(
        "score-explanations",
        "protoverse-phantom",
        "placement",
        "-o",
        tmp_path / "x",
        "--explainers",
        "gradcm",
    )
    assert ended.code == 2
    assert 'there is no explainer "gradcm"' in ended.line
    assert not (tmp_path / "x" / "index.html").exists()
