import json
import re

import numpy as np

from spinexplain.app.scan_view import VIEW, read_view
from spinexplain.spine.sampling import sample_volume


def test_the_view_is_plain_json(drawn):
    described = json.loads((drawn / "view" / "view.json").read_text())
    assert described["schema"] == VIEW


def test_every_level_has_its_card_and_verdict(view, lumbar):
    assert [one["level"] for one in view.levels] == ["T12", "L1", "L2", "L3", "L4", "L5"]
    for level, item in zip(view.levels, lumbar.vertebrae, strict=True):
        assert f'id="level-{level["level"]}"' in view.card(level["level"])
        grading = item.assessments[0].grading
        assert level["grade"] == (None if grading is None else grading.grade)
    assert "not assessable" in view.level("L5")["words"]


def test_cards_refer_to_pictures_by_address_and_all_are_there(view):
    for level in view.levels:
        card = view.card(level["level"])
        assert "data:image" not in card
        for name in re.findall(r'href="pictures/([^"]+)"', card):
            assert (view.folder / "pictures" / name).is_file()


def test_the_crop_samples_as_the_scan_does(view, lumbar):
    frame = lumbar.vertebrae[2].patch.frame
    from_scan, _ = sample_volume(lumbar.volume, frame)
    from_crop, _ = sample_volume(view.crop(), frame)
    assert np.abs(from_scan - from_crop).max() <= 1.0  # the crop rounds to whole HU


def test_names_are_escaped_and_how_evidence_fared_is_kept(lumbar, tmp_path):
    from dataclasses import replace

    from spinexplain.app.scan_view import write_view
    from spinexplain.types import EvidenceReliability

    bad = "<script>alert(1)</script>"
    few = replace(lumbar, vertebrae=lumbar.vertebrae[1:3], models=lumbar.models)
    fared = EvidenceReliability("prototypes", "made phantoms", 0.8, 0.7, 0.9, 40)
    few = replace(few, models=(replace(few.models[0], name=bad, evidence=(fared,)),))
    write_view(few, tmp_path / "view")
    found = read_view(tmp_path / "view")
    assert bad not in found.card("L1")
    assert found.described["models"][0]["evidence"][0]["endplate"] == 0.8


def test_a_view_of_an_earlier_version_is_read_with_what_it_does_not_say_left_empty(drawn, tmp_path):
    described = json.loads((drawn / "view" / "view.json").read_text("utf-8"))
    del described["training"], described["source"]["facts"], described["source"]["labels_sha256"]
    (tmp_path / "view.json").write_text(json.dumps(described), "utf-8")
    found = read_view(tmp_path).described
    assert found["training"] == []
    assert found["source"]["facts"]["study_date"] == ""
    assert found["source"]["labels_sha256"] == ""
    assert found["source"]["sha256"] == described["source"]["sha256"]
