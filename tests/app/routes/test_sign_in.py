FORM = {"name": "Ada", "password": "long enough"}


def test_signing_in_gives_a_new_cookie_each_time(server):
    token, _ = server.account("Ada", "reader")
    client = server.client(token)
    answer = client.post("/sign-in", data=FORM)
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert token not in cookie
    assert server.client(token).get("/").status_code == 401  # the session before has ended


def test_name_and_password_are_refused_in_the_same_words(server):
    server.account("Ada", "reader")
    client = server.client()
    wrong = [{**FORM, "password": "wrong password"}, {**FORM, "name": "Bob"}]
    answers = [client.post("/sign-in", data=form) for form in wrong]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].text == answers[1].text


def test_too_many_wrong_passwords_have_to_wait(server):
    server.account("Ada", "reader")
    client = server.client()
    for _ in range(8):
        client.post("/sign-in", data={**FORM, "password": "wrong password"})
    assert client.post("/sign-in", data=FORM).status_code == 429


def test_signing_out_ends_the_session(server):
    token, _ = server.account("Ada", "reader")
    client = server.client(token)
    assert client.post("/sign-out").status_code == 303
    assert server.client(token).get("/").status_code == 401


def test_the_form_can_be_seen(server):
    assert "Not a medical device" in server.client().get("/sign-in").text
