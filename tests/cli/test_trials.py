def test_a_missing_cohort_is_named(spinexplain, tmp_path):
    absent = tmp_path / "none"
    ended = spinexplain(
        "trials", "detector", "--train", absent, "--test", absent, "-o", tmp_path / "out"
    )
    assert ended.code == 2
    assert "not a cohort" in ended.line
    assert not (tmp_path / "out").exists()


def test_an_unknown_preset_names_the_known_ones(spinexplain, tmp_path):
    ended = spinexplain("trials", "detectr", "--train", "a", "--test", "b", "-o", tmp_path / "out")
    assert ended.code == 2
    assert '"detector"' in ended.line
