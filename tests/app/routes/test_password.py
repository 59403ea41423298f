import pytest


@pytest.fixture
def bob(server):
    """A reader who is signed in twice: (the two clients, how to post)."""
    token, _ = server.account("Bob", "reader")
    form = {"name": "Bob", "password": "long enough"}
    again = server.client().post("/sign-in", data=form).cookies["spinexplain_session"]
    return server.client(token), server.client(again)


def test_a_reader_sets_their_own_password_and_signs_in_again(server, bob):
    here, there = bob
    assert 'name="present"' in here.get("/password").text
    answer = here.post("/password", data={"present": "long enough", "new": "much longer now"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert there.get("/password").status_code == 401
    form = {"name": "Bob", "password": "much longer now"}
    assert server.client().post("/sign-in", data=form).status_code == 303


@pytest.mark.parametrize(
    ("present", "new", "words"),
    [("wrong one here", "much longer now", "wrong"), ("long enough", "short", "at least 10")],
)
def test_what_is_refused_keeps_the_password(server, bob, present, new, words):
    answer = bob[0].post("/password", data={"present": present, "new": new})
    assert answer.status_code == 422
    assert words in answer.text
    form = {"name": "Bob", "password": "long enough"}
    assert server.client().post("/sign-in", data=form).status_code == 303


def test_guesses_are_counted_and_have_to_wait(bob):
    form = {"present": "wrong one here", "new": "much longer now"}
    statuses = [bob[0].post("/password", data=form).status_code for _ in range(9)]
    assert statuses == [422] * 8 + [429]


def test_the_machine_itself_has_none(server):
    assert server.client().get("/password").status_code == 404
