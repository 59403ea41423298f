import csv


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_heights_of_the_lumbar_example(spinexplain, lumbar, tmp_path):
    ct, mask = lumbar
    out = tmp_path / "heights.csv"
    ended = spinexplain("measure", ct, "--labels", mask, "-o", out)
    assert ended.code == 0, ended.err
    rows = {row["level"]: row for row in rows_of(out)}
    assert {"L2", "L3", "L4"} <= set(rows)
    assert not {level for level, row in rows.items() if row["shape"] == "crush"}
    for row in rows.values():
        assert 10 < float(row["posterior_mm"]) < 40
        assert float(row["loss_low"]) <= float(row["loss"]) <= float(row["loss_high"])


def test_levels_that_are_cut_are_named(spinexplain, lumbar, tmp_path):
    ct, mask = lumbar
    ended = spinexplain("measure", ct, "--labels", mask, "-o", tmp_path / "heights.csv")
    assert "not measured: T12" in ended.out


def test_an_existing_table_is_kept(spinexplain, lumbar, tmp_path):
    ct, mask = lumbar
    out = tmp_path / "heights.csv"
    out.write_text("precious")
    ended = spinexplain("measure", ct, "--labels", mask, "-o", out)
    assert ended.code == 2
    assert "--force" in ended.line
    assert out.read_text() == "precious"
    assert spinexplain("measure", ct, "--labels", mask, "-o", out, "--force").code == 0
    assert rows_of(out)


def test_a_mask_that_is_no_mask(spinexplain, lumbar, tmp_path):
    ct, _ = lumbar
    out = tmp_path / "heights.csv"
    ended = spinexplain("measure", ct, "--labels", ct, "-o", out)
    assert ended.code == 2
    assert ct.name in ended.line
    assert not out.exists()
