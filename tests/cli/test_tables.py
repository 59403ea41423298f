def test_tables_from_stored_results(spinexplain, stored, tmp_path):
    stored.write(tmp_path / "in", cv=stored.crossval([stored.entry("a")]))
    ended = spinexplain("tables", tmp_path / "in", "-o", tmp_path / "out")
    assert ended.code == 0, ended.err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"tables.md", "protoverse-table2.md", "protoverse-table2.tex"} <= names
    assert "protoverse-table2.png" in names


def test_different_data_are_refused(spinexplain, stored, tmp_path):
    stored.write(tmp_path / "in", a=stored.evaluation("m"), b=stored.evaluation("n", "e" * 64))
    ended = spinexplain("tables", tmp_path / "in", "-o", tmp_path / "out")
    assert ended.code == 2
    assert "different data sets" in ended.line
    assert not (tmp_path / "out").exists()
