import re

from hypothesis import given
from hypothesis import strategies as st

from app.conftest import act
from spinexplain.app.finding import composed
from spinexplain.app.level_names import shifted_headline, with_names
from spinexplain.app.reading import Reading, shifted

LEVEL = re.compile(r"\b(?:T\d+|L\d)\b")


def spoken(page):
    """What a person sees or hears of a page: texts and labels; no addresses, no anchors."""
    labels = " ".join(re.findall(r'(?:aria-label|title|alt)="([^"]*)"', page))
    return labels + " " + re.sub(r"<[^>]*>", " ", page)


SOURCES = re.compile(r'<div class="source">.*?</div>', re.S)


def own_names(page):
    """The levels a card speaks of, without those of training pictures."""
    return set(LEVEL.findall(spoken(SOURCES.sub("", page))))


def test_cards_heights_evidence_and_drafts_carry_the_names_of_a_shift(view):
    for one in view.levels:
        name = one["level"]
        assert own_names(view.card(name)) == {name}
        for by in (-1, 1, 2):
            assert own_names(view.card(name, by)) == {shifted(name, by)}
            assert f'id="level-{name}"' in view.card(name, by)  # anchors are the model's


def test_training_pictures_keep_their_levels(view):
    assert SOURCES.findall(view.card("L1")) == SOURCES.findall(view.card("L1", 1))
    assert LEVEL.search(spoken(" ".join(SOURCES.findall(view.card("L1")))))


def test_the_models_drafts_are_composed_under_the_new_names(view):
    plain, moved = composed(view, Reading()), composed(view, Reading(shift=1))
    assert "L1" in LEVEL.findall(plain)
    assert [shifted(name, 1) for name in LEVEL.findall(plain)] == LEVEL.findall(moved)


def test_every_place_of_the_page_and_every_export_has_the_new_names(server, ready):
    client = server.client()
    act(client, ready, "shift", None, {"by": 1})
    page = client.get(f"/scans/{ready}/").text
    notes = re.search(r"<details>.*?</details>", page, re.S)[0]
    assert "by the model&#39;s names" in notes
    page = page.replace(notes, "")
    names = ["L1", "L2", "L3", "L4", "L5", "L6"]
    assert re.findall(r'data-level="[TL]\d+"><b>([^<]+)</b>', page) == names
    assert re.findall(r'class="mark overlay"[^>]*><b>([^<]+)</b>', page) == names
    assert "T12" not in spoken(page)
    level = client.get(f"/scans/{ready}/levels/T12").text
    said = spoken(SOURCES.sub("", level)).replace("&#39;", "'")
    assert "My word on L1" in said
    said = said.replace("model calls T12", "")
    assert "T12" not in said.replace("model's T12", "").replace("are those of T12", "")
    maps = client.get(f"/scans/{ready}/levels/L1/heatmaps").json()
    assert all(one["name"].startswith("L1_") and one["words"].startswith("L2 ") for one in maps)
    finding = client.get(f"/scans/{ready}/finding").json()["text"]
    assert set(LEVEL.findall(finding)) <= set(names)
    made = client.get(f"/scans/{ready}/reading.json").json()["vertebrae"]
    assert [one["level"] for one in made] == names
    rows = client.get(f"/scans/{ready}/reading.csv").text.splitlines()[1:]
    assert [row.split(",")[1] for row in rows] == names
    assert "<td>L2 G2</td>" in client.get("/").text


def test_a_headline_is_shifted_at_its_names_alone():
    text = "T9 fracture suspected, moderate; T10 like T4 before"
    assert shifted_headline(text, 1) == "T10 fracture suspected, moderate; T11 like T4 before"
    assert shifted_headline("", 1) == ""


@given(st.text(alphabet=st.characters(exclude_categories=["Co", "Cs"])))
def test_a_page_without_marked_names_stays_as_it_is(text):
    assert with_names(text, 3) == text
