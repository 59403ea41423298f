from spinexplain.data.phantom.presets import load_preset
from spinexplain.reproduce.dissection import cohorts
from spinexplain.reproduce.setting import Setting


def test_a_narrow_scan_is_the_preset_in_a_smaller_field():
    narrow, whole = cohorts.narrow("shortcut"), load_preset("shortcut")
    assert narrow.fractures == whole.fractures
    assert narrow.shortcut == whole.shortcut
    assert narrow.field.half_width_mm[1] < whole.field.half_width_mm[1]


def test_the_same_vertebrae_with_marks_and_without(tmp_path, marked_scan, monkeypatch):
    drawn = []
    monkeypatch.setattr(cohorts, "make_subject", lambda *a, **b: drawn.append(a) or marked_scan)
    name = f"shortcut-{marked_scan.seed}-phantom0001"
    setting = Setting(tmp_path, tmp_path, tmp_path, tmp_path)
    found = cohorts.marked_boxes(setting, marked_scan.seed, 1, masks=True)
    assert found["marked"].index["level"].tolist() == found["plain"].index["level"].tolist()
    rows = range(len(found["marked"]))
    one, other = (found[n].patches_3d[list(rows)] for n in ("marked", "plain"))
    assert (one != other).any()
    assert found["marked"].read("shortcut_3d", list(rows)).any()
    assert len(drawn) == 1, name
