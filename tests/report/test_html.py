import base64
import datetime
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from spinexplain.config.tasks import derived_task
from spinexplain.errors import OutputError
from spinexplain.io.scan_facts import ScanFacts
from spinexplain.report.html import write_report
from spinexplain.types import EvidenceReliability, ModelInfo
from spinexplain.ui.pages import css_text

DAY = datetime.date(2026, 3, 4)
VOID = {"meta", "input", "br", "link", "img", "hr"}


class Reader(HTMLParser):
    """Collects elements and text, and checks that every element is closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text += data

    def with_class(self, name):
        return [a for _, a in self.elements if name in (a.get("class") or "").split()]


@pytest.fixture(scope="module")
def drawn():
    """Pages by the id of the scan they are of, with the scan itself so that it stays."""
    return {}


@pytest.fixture
def page_of(tmp_path, drawn):
    def read(scan):
        if id(scan) not in drawn:
            content = write_report(scan, tmp_path, date=DAY).read_text(encoding="utf-8")
            # the pictures are most of the file, and take the parser long
            content = re.sub(r"(data:image/png;base64,)[A-Za-z0-9+/=]+", r"\1", content)
            drawn[id(scan)] = scan, content
        content = drawn[id(scan)][1]
        reader = Reader()
        reader.feed(content)
        assert reader.open == []
        return content, reader

    return read


@pytest.mark.parametrize("scan", ["lumbar", "thoracic", "healthy", "two_models"])
def test_every_variant_is_one_file_that_refers_to_nothing_outside(scan, request, page_of):
    content, page = page_of(request.getfixturevalue(scan))
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        for name in ("src", "href", "action", "data", "srcset", "poster"):
            reference = attributes.get(name)
            assert reference is None or reference.startswith(("#", "data:image/png;base64,"))
    style = re.search(r"<style>(.*?)</style>", content, re.S)[1]
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"https?://|\bfetch\(|XMLHttpRequest|WebSocket", content)


def test_the_policy_allows_its_own_script_and_nothing_else(lumbar, page_of):
    content, _ = page_of(lumbar)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', content)[1]
    script = re.search(r"<script>(.*?)</script>", content, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


@pytest.mark.parametrize("scan", ["lumbar", "thoracic", "two_models"])
def test_every_reference_inside_the_page_has_its_target(scan, request, page_of):
    _, page = page_of(request.getfixturevalue(scan))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for _, a in page.elements if a.get("href", "").startswith("#")}
    assert targets <= set(ids)


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 191 * 7 }}{% raw %}",
    "a\nb\r\u2028c\u202e</style></title>",
    "</script><script>alert(1)</script>",
    "\u6f22\u5b57 \U0001f9b4 {level} %s",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_from_outside_becomes_markup(name, lumbar, page_of):
    plain, _ = page_of(_renamed(lumbar, "plain"))
    content, page = page_of(_renamed(lumbar, name))
    before = Reader()
    before.feed(plain)
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in _renamed_count(before, page)]
    assert not any(key.startswith("on") for _, attributes in page.elements for key in attributes)
    assert content.count("<script") == 1
    assert "1337" not in page.text
    shown = " ".join(name.split())
    assert shown in " ".join(page.text.split())


def _renamed_count(before, page):
    """The page must have the same elements in the same order, whatever things are called."""
    return before.elements if len(before.elements) == len(page.elements) else [("different", {})]


def _renamed(scan, name):
    """The same findings with every string that can come from outside replaced."""

    def explanation(old):
        if old is None:
            return None
        exemplars = [
            tuple(
                replace(x, provenance=replace(x.provenance, subject=name, series=name, level=name))
                for x in item.exemplars
            )
            for item in old.evidence
        ]
        evidence = tuple(
            replace(item, name=name, exemplars=new)
            for item, new in zip(old.evidence, exemplars, strict=True)
        )
        return replace(old, method=name, evidence=evidence)

    vertebrae = tuple(
        replace(
            item,
            assessments=tuple(
                replace(
                    one,
                    explanation=explanation(one.explanation),
                    refusal=None if one.refusal is None else name,
                )
                for one in item.assessments
            ),
            flags=(name,) * len(item.flags),
        )
        for item in scan.vertebrae
    )
    old = scan.models[0]
    model = ModelInfo(name, name, old.sha256, old.classes, name)
    settings = {**scan.settings, "level_names": name, "command": name}
    facts = ScanFacts(name, name, name, 1.0, name, "F", phantom=True)
    source = replace(scan.source, name=name, facts=facts)
    return replace(scan, source=source, models=(model,), vertebrae=vertebrae, settings=settings)


def test_a_hostile_class_name_is_text_too(lumbar, graded_as, page_of):
    item = lumbar.vertebrae[1]
    grading = replace(item.assessments[0].grading, task=derived_task(("G0", "<b onclick=x>", "G3")))
    item = replace(item, assessments=(replace(item.assessments[0], grading=grading),))
    content, page = page_of(replace(lumbar, vertebrae=(item,)))
    assert "<b onclick" not in content
    assert "<b onclick=x>" in page.text


def cards_of(content):
    return content.split('<article class="card"')[1:]


def test_the_bars_printed_add_up_to_the_logit_printed(lumbar, page_of):
    content, _ = page_of(lumbar)
    cards = [card for card in cards_of(content) if "Logit" in card]
    assert len(cards) == 5
    for card in cards:
        parts = re.findall(r'class="sum">([+−][\d.]+)', card)
        others = re.search(r"other prototypes? <b>([+−][\d.]+)", card)
        logit = re.search(r"Logit of G\d <b>([−\d.]+)", card)[1]
        shown = [float(value.replace("−", "-")) for value in parts]
        assert shown[:3] == sorted(shown[:3], reverse=True)
        assert len(shown[3:]) == 2
        assert shown[3:] == sorted(shown[3:])
        assert max(shown[3:]) < 0
        assert card.count("speaks against") == 2
        total = sum(shown) + float(others[1].replace("−", "-"))
        assert total == pytest.approx(float(logit.replace("−", "-")), abs=0.036)  # seven roundings


def test_worst_first_and_the_healthy_ones_folded(lumbar, page_of):
    content, _ = page_of(lumbar)
    above, strip = content.split('<details class="strip">')
    cards = [re.findall(r'<article class="card" id="level-(\w+)"', part) for part in (above, strip)]
    assert cards == [["L1", "L3"], ["T12", "L2", "L4", "L5"]]
    assert re.findall(r'<details class="thumb" data-anchor="level-(\w+)"', strip) == cards[1]
    fold = " ".join(strip.split("<summary>")[1].split("</summary>")[0].split())
    words = " ".join(re.sub(r"<[^>]+>", " ", fold).split())
    assert words == "3 vertebrae without suspicion T12, L2, L4 1 vertebra not graded L5"


def test_disagreement_is_called_out_where_it_is_and_nowhere_else(lumbar, page_of):
    content, _ = page_of(lumbar)
    cards = cards_of(content)
    assert ['class="callout"' in card for card in cards] == [False, True] + [False] * 4
    assert "The model reads no fracture (G0); the measured loss is 29 % (26 to 33 %)" in cards[1]


def test_every_level_opens_with_planes_heights_and_evidence(lumbar, page_of):
    content, _ = page_of(lumbar)
    cards = cards_of(content)
    assert len(cards) == len(lumbar.vertebrae)
    for card in cards:
        for words in ("8 mm to the left", "8 mm to the right", "Coronal", "height loss"):
            assert words in card
    assert ["this looks like that" in card for card in cards] == [True] * 5 + [False]
    assert "No evidence: the model gave no grade here." in cards[-1]


def test_planes_come_before_the_evidence(lumbar, page_of):
    content, _ = page_of(lumbar)
    for card in cards_of(content)[:2]:
        assert card.index("Coronal") < card.index("How the verdict adds up")
        assert card.index("How the verdict adds up") < card.index("this looks like that")


def test_the_large_picture_has_the_grid_of_its_map_too(lumbar, page_of):
    item = lumbar.vertebrae[1]
    one = item.assessments[0]
    told = {"grid": (14, 14), "field_mm": 75.0, "stride_mm": 8.0, "start_mm": 0.5}
    evidence = tuple(replace(piece, **told) for piece in one.explanation.evidence)
    explained = replace(one, explanation=replace(one.explanation, evidence=evidence))
    scan = replace(lumbar, vertebrae=(replace(item, assessments=(explained,)),))
    content, _ = page_of(scan)
    large = content.split("with the model&#39;s evidence")[1].split("</svg>")[0]
    assert large.count('<g class="honest">') == 5


def test_the_draft_is_copied_by_a_button_that_names_it(lumbar, page_of):
    _, page = page_of(lumbar)
    ids = {attributes.get("id") for _, attributes in page.elements}
    copies = [a["data-copies"] for _, a in page.elements if "data-copies" in a]
    assert copies == ["level-L1-draft-text", "level-L3-draft-text"]
    assert set(copies) <= ids


def test_synthetic_training_patches_say_so_and_real_ones_do_not(lumbar, page_of):
    content, _ = page_of(lumbar)
    rows = re.split(r'<div class="row" data-row="\d">', content.split('<article class="card"')[1])
    assert ["SYNTHETIC" in row.split("</section>")[0] for row in rows[1:]] == [True, False, True]


def test_orientation_letters_and_a_scale_are_on_every_kind_of_picture(lumbar, page_of):
    content, page = page_of(lumbar)
    assert len(page.with_class("side")) % 4 == 0
    coronal = content.split("coronal through the body")[1][:1200]
    assert '<span class="side left">R</span>' in coronal
    assert '<span class="side right">L</span>' in coronal
    sagittal = content.split("Sagittal reformation along the spine")[1][:1200]
    assert '<span class="side left">A</span>' in sagittal
    assert '<span class="side right">P</span>' in sagittal


def test_without_a_mask_the_page_says_so_and_guesses_no_height(thoracic, page_of):
    content, page = page_of(thoracic)
    assert "No vertebra mask was given" in page.text
    assert "Not measured: there is no mask of this body." in page.text
    assert page.with_class("measured") == []
    assert 'class="callout"' not in content


def test_a_scan_without_suspicion_has_no_cards(healthy, page_of):
    content, page = page_of(healthy)
    assert "No fracture is suspected." in page.text
    assert content.count("<article") == content.count('<details class="thumb"') == 3


def test_a_second_model_s_evidence_is_in_its_own_fold(two_models, page_of):
    content, page = page_of(two_models)
    assert page.text.count("Also graded by") == content.count("<article")
    fold = content.split('<details class="other">')[1].split("</details>")[0]
    assert "unit 40" in fold
    assert "Logit" not in fold


def test_scores_are_called_uncalibrated_and_the_device_note_stands_twice(lumbar, page_of):
    _, page = page_of(lumbar)
    assert "uncalibrated on patients" in page.text
    assert page.text.count("Not a medical device.") == 2


def test_synthetic_training_is_said_in_head_foot_and_on_every_printed_page(lumbar, page_of):
    content, page = page_of(lumbar)
    assert page.text.count("Trained on synthetic spines only: not validated on patients.") == 2
    printed = re.search(r"@page \{(.*?)\n\}\n</style>", content, re.S)[1]
    for words in ("Trained on synthetic spines only: not validated on patients.", "example_ct"):
        assert css_text(words)[1:-1].rstrip() in printed
    assert "counter(page)" in printed


def test_head_and_foot_say_what_is_known_of_the_study(lumbar, page_of):
    facts = ScanFacts("2024-01-31", "3 BONE 1.0", "B60s", 1.25, "67 years", "F")
    source = replace(lumbar.source, facts=facts, labels_sha256="ab" * 32)
    _, page = page_of(replace(lumbar, source=source))
    for words in ("2024-01-31", "3 BONE 1.0", "B60s", "1.25 mm", "67 years", "female", "ab" * 32):
        assert words in page.text
    assert "phantom" not in page.text.split("Summary")[0]


def test_a_phantom_s_report_says_that_it_is_one(lumbar, page_of):
    source = replace(lumbar.source, facts=ScanFacts(phantom=True))
    _, page = page_of(replace(lumbar, source=source))
    assert "A phantom: this spine was drawn by a program" in page.text


def test_a_grade_the_model_does_not_know_is_shown_as_such(lumbar, page_of):
    content, _ = page_of(lumbar)
    assert content.count('title="G1 is no class of this model"') == 5


def test_the_foot_tells_how_to_make_it_again(lumbar, page_of):
    _, page = page_of(lumbar)
    for expected in (
        lumbar.source.sha256,
        lumbar.models[0].sha256,
        "spinexplain grade example_ct.nii.gz --labels mask.nii.gz -o out",
        "2026-03-04",
    ):
        assert expected in page.text


def test_the_same_findings_give_the_same_bytes(lumbar, tmp_path):
    first = write_report(lumbar, tmp_path, date=DAY).read_bytes()
    assert write_report(lumbar, tmp_path, date=DAY).read_bytes() == first


@pytest.mark.slow
def test_weasyprint_lays_out_cards_that_go_over_a_page(lumbar, tmp_path):
    """It failed an assertion of its own where a card's grid did not fit on one page."""
    weasyprint = pytest.importorskip("weasyprint", reason="WeasyPrint prints pages")
    suspicious = replace(lumbar, vertebrae=lumbar.vertebrae[1:2])
    page = write_report(suspicious, tmp_path, date=DAY).read_text(encoding="utf-8")
    page = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "data:,", page)
    assert len(weasyprint.HTML(string=page).render().pages) >= 2


@pytest.mark.slow
def test_the_heaviest_page_stays_under_eight_megabytes(long_spine, tmp_path):
    assert write_report(long_spine, tmp_path).stat().st_size < 8_000_000


def test_a_folder_that_is_not_there_is_an_output_error(healthy, tmp_path):
    with pytest.raises(OutputError):
        write_report(healthy, tmp_path / "missing")


def test_a_cam_is_shown_without_bars_that_pretend_to_add_up(lumbar, page_of):
    item = lumbar.vertebrae[1]
    assessment = item.assessments[0]
    cam = replace(
        assessment.explanation.evidence[0],
        name="GradCAM",
        exemplars=(),
        detail=None,
        terms={"peak": 2.0},
    )
    explanation = replace(
        assessment.explanation,
        method="gradcam",
        score_name="sum of the map",
        evidence=(cam,),
        additive=False,
    )
    item = replace(item, assessments=(replace(assessment, explanation=explanation),))
    content, page = page_of(replace(lumbar, vertebrae=(item,)))
    assert "Why G2 bars: sum of the map" in " ".join(page.text.split())
    assert "looks like" not in page.text
    assert "Logit" not in page.text
    assert "SYNTHETIC" not in content


def test_how_the_map_fared_on_phantoms_is_said_where_it_is_known(lumbar, page_of):
    unknown = replace(lumbar.models[0], evidence=())
    _, plain = page_of(replace(lumbar, models=(unknown, *lumbar.models[1:])))
    assert not plain.with_class("reliability")
    method = lumbar.vertebrae[1].assessments[0].explanation.method
    told = EvidenceReliability(method, "placement", 0.79, 0.73, 0.85, 146, 0.4, 25)
    other = EvidenceReliability("occlusion", "placement", 0.11, None, None, 3)
    model = replace(lumbar.models[0], evidence=(other, told))
    _, page = page_of(replace(lumbar, models=(model, *lumbar.models[1:])))
    assert page.with_class("reliability")
    text = " ".join(page.text.split())
    assert "chose the right endplate in 79 % of 146 fractures (95 % interval: 73 to 85 %;" in text
    assert "In 25 false alarms it looked equally convincing in 40 %." in text
    assert "endplate in 11 %" not in text
