from spinexplain.data.phantom.presets import preset_names


def test_writes_scans_and_table(spinexplain, spines):
    assert len(list((spines / "rawdata").rglob("*_ct.nii.gz"))) == 4
    table = (spines / "fractures.csv").read_bytes()
    arguments = ["phantom", spines, "--subjects", 4, "--seed", 7]
    ended = spinexplain(*arguments, "--preset", "demo")  # complete: nothing is made again
    assert ended.code == 0, ended.err
    assert str(spines / "fractures.csv") in ended.out
    assert (spines / "fractures.csv").read_bytes() == table
    assert spinexplain(*arguments, "--preset", "hard").code == 2
    ended = spinexplain("phantom", spines, "--subjects", 1, "--seed", 7, "--preset", "demo")
    assert "3 more subjects" in ended.out
    assert (spines / "fractures.csv").read_bytes() == table


def test_unknown_preset(spinexplain, tmp_path):
    ended = spinexplain("phantom", tmp_path / "spines", "--preset", "balancd")
    assert ended.code == 2
    assert "balancd" in ended.line
    assert "balanced" in ended.line
    assert not (tmp_path / "spines").exists()


def test_the_help_names_every_preset(spinexplain, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    shown = spinexplain("phantom", "--help").out
    assert all(name in shown for name in preset_names())


def test_a_folder_of_something_else_is_kept(spinexplain, tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    ended = spinexplain("phantom", tmp_path, "--force")
    assert ended.code == 2
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_a_cohort_to_train_on(spinexplain, tmp_path):
    out = tmp_path / "cohort"
    arguments = ["phantom", out, "--cohort", "sheets", "--subjects", 2, "--seed", 5, "--raters"]
    ended = spinexplain(*arguments)
    assert ended.code == 0, ended.err
    assert ended.out.strip() == f"cohort: {out}, 2 vertebrae"
    index = (out / "index.parquet").read_bytes()
    assert spinexplain(*arguments).code == 0  # complete: nothing is drawn again
    assert (out / "index.parquet").read_bytes() == index
    assert spinexplain("phantom", tmp_path / "scans", "--raters").code == 2
    assert not (tmp_path / "scans").exists()
