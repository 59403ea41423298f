import pytest

from app.conftest import act

SEVERE = {"verdict": "grade", "grade": "G3", "shape": "crush"}


@pytest.fixture
def client(server, ready):
    return server.client()


def test_an_act_is_acknowledged_and_shown(client, ready):
    assert act(client, ready, "word", "L2", SEVERE).json() == {"last": 1, "left": []}
    page = client.get(f"/scans/{ready}/levels/L2").text
    assert 'value="G3" checked' in page
    assert "severe (G3), crush" in page


def test_a_second_window_is_shown_what_happened(client, ready):
    act(client, ready, "word", "L2", SEVERE)
    late = act(client, ready, "word", "L2", {"verdict": "agree"})
    assert late.status_code == 409
    assert "another window" in late.json()["message"]


def words(client, ready):
    said = client.get(f"/scans/{ready}/reading.json").json()["vertebrae"]
    return {one["level"]: one["word"]["grade"] for one in said if one["word"]}


def test_others_are_unremarkable_in_one_act_and_undone_in_one(client, ready):
    act(client, ready, "word", "L2", SEVERE)
    answer = act(client, ready, "others", after=1)
    assert words(client, ready) == {"T12": "G0", "L2": "G3", "L4": "G0"}
    # Suspected by the model, by its heights, and not assessable: not waved through.
    assert answer.json()["left"] == ["L1", "L3", "L5"]
    act(client, ready, "undo", after=2)
    assert words(client, ready) == {"L2": "G3"}


@pytest.mark.parametrize(
    ("kind", "level", "body"),
    [
        ("sign", None, {}),
        ("word", None, {"verdict": "agree"}),
        ("word", "C3", {"verdict": "agree"}),
        ("word", "../x", {"verdict": "agree"}),
        ("word", "L1", {"verdict": "grade"}),
        ("word", "L1", {"verdict": "agree", "comment": "x" * 5000}),
        ("finalise", None, {"name": ""}),
        ("finalise", "L1", {"name": "A"}),
        ("shift", None, {"by": 3}),
        ("heights", "L1", {"points": [[[0, 0], [1, 1]]]}),
        ("heights", "L1", {"points": [[[0, 0], [0, 1e9]]] * 3}),
    ],
)
def test_a_wrong_act_is_refused_and_not_stored(client, ready, kind, level, body):
    assert act(client, ready, kind, level, body).status_code == 422
    assert client.get(f"/scans/{ready}/reading.json").json()["acts"] == []


def test_points_are_tried_without_being_stored(client, ready, view):
    from spinexplain.app.edited_heights import shown_heights
    from spinexplain.app.reading import Reading

    points = [
        [list(end) for end in line] for line in shown_heights(view.levels, "L1", Reading()).points
    ]
    points[0][0][1] += 3.0  # the anterior height loses three millimeters
    tried = client.post(f"/scans/{ready}/levels/L1/heights", json={"points": points}).json()
    assert tried["by"] == "reader"
    assert client.get(f"/scans/{ready}/reading.json").json()["acts"] == []


def test_the_finding_is_written_from_the_readers_words(client, ready):
    act(client, ready, "word", "L2", {**SEVERE, "comment": "Known since 2020."})
    act(client, ready, "others", after=1)
    text = client.get(f"/scans/{ready}/finding").json()["text"]
    assert "L2: severe (G3), crush. Known since 2020." in text
    assert "T12, L4: no vertebral fracture." in text


def test_html_in_words_stays_text(client, ready):
    bad = "</textarea><script>alert(1)</script>"
    act(client, ready, "word", "L1", {"verdict": "agree", "comment": bad})
    act(client, ready, "draft", None, {"text": bad}, after=1)
    act(client, ready, "finalise", None, {"name": "<img src=x>"}, after=2)
    act(client, ready, "addendum", None, {"name": "<i>", "text": bad}, after=3)
    for path in ("", "levels/L1", "report.html"):
        page = client.get(f"/scans/{ready}/{path}").text
        assert "<script>alert" not in page, path
        assert "<img src=x>" not in page, path
