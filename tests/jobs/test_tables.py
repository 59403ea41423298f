from spinexplain.jobs.tables import TablesRequest, tables_to_folder


def test_the_names_are_those_of_the_files(stored, tmp_path):
    stored.write(tmp_path / "in", cv=stored.crossval([stored.entry("a")]))
    names = tables_to_folder(TablesRequest((tmp_path / "in",), tmp_path / "out"))
    assert "protoverse-table2" in names
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert all(any(file.startswith(name) for file in written) for name in names)


def test_without_a_reader_study_it_says_so(stored, tmp_path):
    stored.write(tmp_path / "in", cv=stored.crossval([stored.entry("a")]))
    tables_to_folder(TablesRequest((tmp_path / "in",), tmp_path / "out"))
    text = (tmp_path / "out" / "tables.md").read_text("utf-8")
    assert "Table 4 and figure 8 are left out" in text
