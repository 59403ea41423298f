from pathlib import Path

import spinexplain
from spinexplain.reproduce.transfer import tasks


def test_groups_are_mixed_so_that_all_come_equally_far():
    assert tasks.evenly(["abcd", "xy"]) == ["a", "x", "b", "c", "y", "d"]


class Made:
    def __init__(self, path):
        self.path = path

    def make(self):
        self.path.write_text("made")


def test_only_what_is_missing_is_made(tmp_path, listener):
    made = [Made(tmp_path / "a"), Made(tmp_path / "b")]
    (tmp_path / "a").write_text("kept")
    tasks.make_missing(made, 1, listener)
    assert [one.path.read_text() for one in made] == ["kept", "made"]
    assert listener.steps == [("Scans", 1, 1)]
    assert tasks.there([*made, Made(tmp_path / "c")]) == made


def test_code_is_known_by_its_bytes():
    whole = tasks.code_hash("spine/*.py")
    assert whole == tasks.code_hash("spine/*.py")
    assert whole != tasks.code_hash("spine/*.py", but=("body_size",))


def test_what_settles_centers_is_hashed():
    package = Path(spinexplain.__file__).parent
    found = {path.name for pattern in tasks.SETTLING for path in package.glob(pattern)}
    assert found >= {"settle.py", "refine.py", "body_frame.py", "body_middle.py", "placement.py"}
    assert tasks.code_hash("spine/*.py", "spine/body_middle.py") == tasks.code_hash("spine/*.py")
