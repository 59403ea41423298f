import numpy as np

from spinexplain.study.panel import Panel, simulate
from spinexplain.study.tally import needed, numbers, page_answers, page_shares, piece_answers, tally
from study.conftest import opened


def test_two_of_three():
    assert [needed(n) for n in (1, 2, 3, 4)] == [1, 2, 2, 3]


def test_pages_follow_their_pieces(written):
    study, key = opened(written(cases=6, foils=3, repeats=2))
    found = tally(study, key, simulate(study, key, Panel(real=0.6), 4))
    relevance = study.question("relevance")
    pieces = piece_answers(found, relevance)
    assert pieces.shape == (len(study.items), 3, 2)
    np.testing.assert_array_equal(page_answers(found, relevance), pieces.sum(axis=1) >= 2)
    np.testing.assert_allclose(page_shares(found, relevance), pieces.mean(axis=1))
    assert np.isfinite(numbers(found, study.question("confidence"))).all()


def test_a_half_answered_page_counts_nowhere(written):
    study, key = opened(written(cases=6, foils=0, repeats=0))
    files = simulate(study, key, Panel(), 4)
    cut = files[0].model_copy(update={"answers": files[0].answers[2:]})
    found = tally(study, key, [cut, files[1]])
    first = next(k for k, page in enumerate(found.pages) if page.item == files[0].answers[0].item)
    answers = page_answers(found, study.question("relevance"))
    assert np.isnan(answers[first, 0])
    assert np.isfinite(answers).sum() == 11


def test_pages_know_what_they_are(written):
    study, key = opened(written(cases=6, foils=3, repeats=2))
    found = tally(study, key, [])
    assert sum(page.real for page in found.pages) == 6
    assert {page.foil for page in found.pages} == {
        "",
        "random evidence",
        "wrong class",
        "image-blind map",
    }
    right = {page.case: page.right for page in found.pages}
    assert right["row-1"]
    assert not right["row-4"]
