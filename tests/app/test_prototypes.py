import pytest

from spinexplain.app.accounts import local_account
from spinexplain.app.prototypes import (
    append_decision,
    checked_decision,
    decisions_now,
    page_content,
    shown_model,
)
from spinexplain.config.shipped import DEFAULT_MODEL

DUPLICATE = {"choice": "not meaningful", "reason": "duplicate"}


@pytest.fixture(scope="module")
def shown():
    return shown_model(DEFAULT_MODEL)


def decision(shown, number, **changes):
    return {"prototype": number, "name": shown.names[number - 1], **changes}


def test_the_last_word_about_each_prototype_counts(server, shown):
    with server.database.writing() as session:
        account = local_account(session).id
        for number, body in (
            (2, decision(shown, 2, choice="keep")),
            (1, decision(shown, 1, **DUPLICATE)),
            (2, decision(shown, 2, **DUPLICATE)),
            (1, {}),
            (3, decision(shown, 3, choice="keep")),
        ):
            append_decision(session, account, shown, number, body)
    with server.database.reading() as session:
        found = decisions_now(session, account, "ada", shown)
        others = decisions_now(session, account + 1, "bob", shown)
    assert [(one.prototype, one.choice) for one in found.decisions] == [
        (2, "not meaningful"),
        (3, "keep"),
    ]
    assert found.decisions[0].at
    assert found.model.weights_sha256 == shown.grader.info.weights_sha256
    assert not others.decisions


def test_every_prototype_is_on_the_page_with_its_crop(shown):
    page = page_content(shown, "/somewhere")["page"]
    assert [one.name for one in page.model.prototypes] == shown.names
    assert all(one.source.planes[0].picture for one in page.model.prototypes)
    assert page.decide.store == "/somewhere"


@pytest.mark.parametrize(
    "changes",
    [
        {"prototype": 999},
        {"name": "somebody else's"},
        {"choice": "not meaningful"},
        {"choice": "never this region", "region": ["01", "00"]},
        {"choice": "keep", "more": 1},
    ],
)
def test_what_is_not_about_this_model_is_refused(shown, changes):
    with pytest.raises(ValueError, match=r"prototype|reason|region|more"):
        checked_decision(decision(shown, 1, choice="keep") | changes, shown)
