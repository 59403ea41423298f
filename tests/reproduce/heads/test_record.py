from spinexplain.reproduce.heads.record import Record


def test_what_is_done_is_remembered(tmp_path):
    record = Record(tmp_path / "work" / "runs.json")
    record.keep("one", 0, {"f1": 0.5})
    again = Record(tmp_path / "work" / "runs.json")
    assert again.has("one", 0)
    assert not again.has("one", 1)
    assert not again.has("two", 0)
    assert not again.complete("one", (0, 1))
    again.keep("one", 1, {"f1": 0.6})
    assert again.complete("one", (0, 1))
    assert again.runs == {"one": {"0": {"f1": 0.5}, "1": {"f1": 0.6}}}
