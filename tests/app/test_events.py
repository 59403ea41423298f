import pytest

from spinexplain.app.events import OutOfDateError, acts_of, append_act, reading_of

AGREE = {"verdict": "agree"}


def test_acts_are_read_back_in_their_order(server, ready):
    with server.database.writing() as session:
        append_act(session, ready, 1, "word", "L1", AGREE, 0, {"level": "L1"})
        append_act(session, ready, 1, "undo", None, {}, 1, {})
    with server.database.reading() as session:
        assert [act.kind for act in acts_of(session, ready, 1)] == ["word", "undo"]


def test_a_page_that_is_behind_overwrites_nothing(server, ready):
    with server.database.writing() as session:
        append_act(session, ready, 1, "word", "L1", AGREE, 0, {})
    with pytest.raises(OutOfDateError), server.database.writing() as session:
        append_act(session, ready, 1, "word", "L1", {"verdict": "grade", "grade": "G3"}, 0, {})
    with server.database.reading() as session:
        assert reading_of(session, ready, 1).words["L1"].verdict == "agree"


def test_after_the_signature_only_addenda_follow(server, ready):
    with server.database.writing() as session:
        with pytest.raises(OutOfDateError, match="finalise it first"):
            append_act(session, ready, 1, "addendum", None, {"name": "A", "text": "t"}, 0, {})
        append_act(session, ready, 1, "finalise", None, {"name": "A"}, 0, {})
        for kind, body in (("word", AGREE), ("undo", {}), ("finalise", {"name": "B"})):
            with pytest.raises(OutOfDateError, match="addendum"):
                append_act(session, ready, 1, kind, None, body, 1, {})
        append_act(session, ready, 1, "addendum", None, {"name": "A", "text": "t"}, 1, {})


def test_readers_do_not_share_a_reading(server, ready):
    _, other = server.account("second reader", "reader")
    with server.database.writing() as session:
        append_act(session, ready, 1, "word", "L1", AGREE, 0, {})
        append_act(session, ready, other, "word", "L1", {"verdict": "grade", "grade": "G0"}, 0, {})
    with server.database.reading() as session:
        assert reading_of(session, ready, 1).words["L1"].verdict == "agree"
        assert reading_of(session, ready, other).words["L1"].grade == "G0"
