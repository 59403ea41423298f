def test_an_admin_makes_accounts(server):
    token, _ = server.account("Ada", "admin")
    client = server.client(token)
    form = {"name": "<b>Bob</b>", "password": "long enough", "role": "reader"}
    assert client.post("/accounts", data=form).status_code == 303
    page = client.get("/accounts").text
    assert "&lt;b&gt;Bob" in page
    assert "<b>Bob" not in page
    again = client.post("/accounts", data=form)
    assert again.status_code == 422
    assert "already" in again.json()["message"]
