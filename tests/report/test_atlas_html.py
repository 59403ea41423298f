import datetime
import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from safetensors.numpy import load_file

from fixtures.browser import needs_chromium, overhang
from spinexplain.errors import OutputError
from spinexplain.report.atlas_html import view_reliability, write_atlas
from spinexplain.types import ModelInfo

DATE = datetime.date(2026, 1, 2)


class Elements(HTMLParser):
    """Collects tags and the text between them."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)


def page_of(atlas, folder, beside=None):
    path = write_atlas(atlas, folder / "atlas", beside, "spinexplain prototypes run", date=DATE)
    return path.read_text("utf-8")


def test_one_file_that_asks_for_nothing(make_atlas, tmp_path):
    page = Elements(page_of(make_atlas(), tmp_path))
    loaded = [a.get("src") or a.get("href", "") for _, a in page.tags]
    assert not [url for url in loaded if url and not url.startswith(("data:", "#"))]


def test_ids_are_unique_and_references_lead_somewhere(make_atlas, tmp_path):
    content = page_of(make_atlas(), tmp_path, make_atlas("protopnet-made"))
    page = Elements(content)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for _, a in page.tags if a.get("href", "").startswith("#")}
    assert targets <= set(ids)
    assert content.count("<article") == 4
    assert "protopnet-made" in content


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{ 7 * 7 }}</style></title>",
        "' onmouseover='alert(1)",
    ],
)
def test_names_of_subjects_and_models_stay_text(name, make_atlas, tmp_path):
    atlas = make_atlas(name=name, subject=name)
    clean, hostile = (
        Elements(page_of(one, tmp_path / str(index)))
        for index, one in enumerate((make_atlas(), atlas))
    )
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in clean.tags]
    assert [set(a) for _, a in hostile.tags] == [set(a) for _, a in clean.tags]
    assert any(name in text for text in hostile.texts)


def test_numbers_beside_the_page(make_atlas, tmp_path):
    page_of(make_atlas(), tmp_path, make_atlas("second"))
    written = json.loads((tmp_path / "atlas" / "atlas.json").read_text())
    first, second = written["models"]
    assert written["schema"] == "spinexplain/atlas/1"
    assert second["model"]["name"] == "second"
    assert first["same_class_cosine"]["raw_after"] == pytest.approx(0.5)
    assert first["prototypes"][0]["winner_share"] == 0.9
    assert first["prototypes"][0]["neighbors"][0]["distance"] == 0.25
    arrays = load_file(tmp_path / "atlas" / "atlas.safetensors")
    assert arrays["0.after"].tolist() == make_atlas().after.tolist()
    assert arrays["1.cosine_raw_before"].shape == (4, 4)


def test_withheld_pixels_are_said_to_be(make_atlas, tmp_path):
    content = page_of(make_atlas(withheld=True), tmp_path)
    assert content.count("pixels withheld") == 4 * (1 + 3)
    assert 'class="synthetic"' not in content


def test_a_model_alone(make_atlas, tmp_path):
    atlas = make_atlas()
    bare = tuple(
        replace(i, neighbors=(), structures={}, winner_share=None, usage=None, travelled=None)
        for i in atlas.prototypes
    )
    atlas = replace(
        atlas,
        prototypes=bare,
        before=None,
        center=None,
        patch_distance=None,
        patch_cosine=None,
        embedding=None,
        crops={},
        structure_area={},
        reliability={},
        notes=("no_run", "no_cohort"),
    )
    content = page_of(atlas, tmp_path)
    assert "Made from the model alone" in content
    assert "nan" not in Elements(content).texts


def test_many_prototypes_leave_the_numbers_out_of_the_matrix(make_atlas, tmp_path):
    atlas = make_atlas()
    import numpy as np

    many = replace(
        atlas,
        prototypes=atlas.prototypes * 4,
        after=np.tile(atlas.after, (4, 1)),
        before=None,
        embedding=None,
    )
    page = Elements(page_of(many, tmp_path))
    cells = [a for tag, a in page.tags if tag == "i" and a.get("class", "").startswith("c ")]
    assert len(cells) == 2 * 16 * 16
    assert all(cell["title"] for cell in cells)


def test_an_existing_folder_is_kept(make_atlas, tmp_path):
    page_of(make_atlas(), tmp_path)
    with pytest.raises(OutputError, match="--force"):
        page_of(make_atlas(), tmp_path)


def test_figures_pair_with_those_under_a_wrong_centroid():
    view = view_reliability({"hard": {"f1": 0.8, "f1_moved": 0.7, "same_grade_moved": 0.9}})
    (row,) = view.rows
    assert [(pair.plain, pair.moved) for pair in row.pairs] == [
        (0.8, 0.7),
        (None, None),
        (None, None),
        (None, 0.9),
    ]
    assert view_reliability({"hard": {"f1": 0.8}}) is None
    assert view_reliability({}) is None


def test_unknown_classes_keep_their_name(make_atlas, tmp_path):
    atlas = make_atlas()
    info = ModelInfo("m", "1", "", ("no fracture", "fracture"), "")
    renamed = {"G0": "no fracture", "G3": "fracture"}
    entries = tuple(replace(i, class_name=renamed[i.class_name]) for i in atlas.prototypes)
    content = page_of(replace(atlas, info=info, prototypes=entries, embedding=None), tmp_path)
    assert "no Fx" in content


@needs_chromium[0]
@needs_chromium[1]
def test_layers_come_and_go_in_a_browser(watched, make_atlas, tmp_path):
    path = write_atlas(make_atlas(), tmp_path / "atlas", make_atlas("protopnet-made"), date=DATE)
    page = watched(path.as_uri(), color_scheme="light")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    card = "#prototype-1 .source-planes"
    assert page.is_visible(f"{card} .contour.inner")
    assert not page.is_visible(f"{card} .wash")
    page.click("[data-layer=map]")
    page.click("[data-layer=contours]")
    assert page.is_visible(f"{card} .wash")
    assert not page.is_visible(f"{card} .contour.inner")
    before = page.evaluate(ground)
    page.click("#theme")
    assert page.evaluate(ground) != before
    assert overhang(page, (1920, 1024, 390)) == []
