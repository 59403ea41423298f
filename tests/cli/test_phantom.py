def test_writes_scans_and_table(spinexplain, tmp_path):
    out = tmp_path / "spines"
    ended = spinexplain("phantom", out, "--subjects", 1, "--seed", 7, "--preset", "demo")
    assert ended.code == 0, ended.err
    assert len(list((out / "rawdata").rglob("*_ct.nii.gz"))) == 1
    assert (out / "fractures.csv").exists()


def test_unknown_preset(spinexplain, tmp_path):
    ended = spinexplain("phantom", tmp_path / "spines", "--preset", "balancd")
    assert ended.code == 2
    assert "balancd" in ended.line
    assert "balanced" in ended.line
    assert not (tmp_path / "spines").exists()


def test_a_folder_of_something_else_is_kept(spinexplain, tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    ended = spinexplain("phantom", tmp_path, "--force")
    assert ended.code == 2
    assert (tmp_path / "thesis.txt").read_text() == "precious"
