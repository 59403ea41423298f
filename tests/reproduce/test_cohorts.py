from spinexplain.progress import SILENT
from spinexplain.reproduce.cohorts import drawn_sheets, graded_sheets
from spinexplain.reproduce.heads.training import configured
from spinexplain.reproduce.setting import Setting


def test_studies_share_their_sheets(tmp_path):
    setting = Setting(tmp_path, tmp_path / "work", tmp_path, tmp_path, progress=SILENT)
    cohort = drawn_sheets(setting, "balanced", 1, 30)
    assert cohort.path == tmp_path / "work" / "cohorts" / "balanced-1-30"
    graded = graded_sheets(setting, "balanced", 1, 30, configured({}, 0))
    assert 0 < len(graded) == cohort.index["grade"].isin(["G0", "G2", "G3"]).sum() < 30
