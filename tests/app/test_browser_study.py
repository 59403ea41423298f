"""A whole study in the browser: two readers, their answers taken away and scored."""

import pytest

from app.studies_by_hand import write_by_hand
from fixtures.browser import faults, needs_chromium, overhang
from spinexplain.app.accounts import local_account, open_session
from spinexplain.app.studies import add_study, answers_of, join

pytestmark = needs_chromium


@pytest.fixture
def study(running, tmp_path):
    """A study that the machine's own account takes part in as reader 1."""

    def make(**how):
        made = write_by_hand(tmp_path / "study", **how)
        server = running[2]
        add_study(server.database, server.folder, tmp_path / "study")
        with server.database.writing() as session:
            join(session, made, local_account(session).id)
        return made

    return make


def _answers(server, study, number, account):
    with server.database.reading() as session:
        return answers_of(session, study, number, account).answers


def test_a_whole_study_by_keyboard(open_page, running, study):
    made = study(pages=2, slices=2)  # another study than the other tests': they share the server
    page = open_page(f"/studies/{made.id}/")
    assert page.url.endswith("/pages/1")
    next_button = page.locator("#next")
    assert next_button.is_disabled()
    page.wait_for_timeout(200)  # a reader looks for longer; times are kept to a tenth of a second
    for key in ("y", "n", "y", "y", "4"):  # two pieces with two questions each, then the scale
        page.keyboard.press(key)
    page.wait_for_selector("#next:not([disabled])")
    page.fill("textarea", "clear")
    page.locator("textarea").blur()
    page.locator("h1").click(force=True)
    page.keyboard.press("h")
    assert page.locator("body.bare").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_url("**/pages/2")
    page.reload()  # goes on where it was
    page.wait_for_timeout(200)
    for key in ("n", "n", "n", "n", "1"):
        page.keyboard.press(key)
    page.wait_for_selector("#next:not([disabled])")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=All 2 pages are finished")
    server = running[2]
    with server.database.writing() as session:
        account = local_account(session).id
    said = _answers(server, made, 1, account)
    first = [a.value for a in said if a.item == made.plan(1).sessions[0][0]]
    assert first == ["yes", "no", "yes", "yes", 4.0, "clear"]
    assert all(a.seconds > 0 for a in said)


def _finish(page, base, made, keys):
    """Answer every page by keyboard, to the last word of the study."""
    pages = len(made.items)
    page.goto(f"{base}/studies/{made.id}/")
    first = page.locator("#study-page").get_attribute("data-item")
    for number in range(1, pages + 1):
        page.wait_for_url(f"**/pages/{number}")
        for key in keys:
            page.keyboard.press(key)
        page.wait_for_selector("#next:not([disabled])")
        page.keyboard.press("Enter")
    page.wait_for_selector(f"text=All {pages} pages are finished")
    return first


def test_two_readers_finish_and_the_study_is_scored(browser, running, study, tmp_path):
    """The second signs in by name and password; whoever keeps the study takes both answers away."""
    from app.conftest import CHEAP
    from spinexplain.app.accounts import add_account
    from spinexplain.jobs.study import add_answers, score_to_folder

    made = study(pages=3)
    base, _, server = running
    with server.database.writing() as session:
        own = open_session(session, local_account(session))
        second = add_account(session, "second reader", "long enough", "reader", CHEAP)
        join(session, made, second.id)
    contexts = [browser.new_context(accept_downloads=True) for _ in range(2)]
    contexts[0].add_cookies([{"name": "spinexplain_session", "value": own, "url": base}])
    keeper, other = (context.new_page() for context in contexts)
    other.goto(f"{base}/sign-in")
    other.fill("input[name=name]", "second reader")
    other.fill("input[name=password]", "long enough")
    other.click("button.strong")
    other.wait_for_selector("text=sign out")
    begun = [_finish(keeper, base, made, "ynyy4"), _finish(other, base, made, "nnnn1")]
    assert begun == [made.plan(reader).sessions[0][0] for reader in (1, 2)]
    other.goto(f"{base}/studies/")
    assert other.locator("text=answers").count() == 0  # nobody sees another's
    keeper.goto(f"{base}/studies/")
    files = []
    for number in (1, 2):
        with keeper.expect_download() as download:
            keeper.click(f"a[href='/studies/{made.id}/answers/{number}']")
        files.append(tmp_path / f"answers-reader-{number}.json")
        download.value.save_as(files[-1])
    for context in contexts:
        context.close()
    _, done = add_answers(tmp_path / "study", tuple(files))
    assert [(one.reader, one.finished, one.items) for one in done] == [(1, 3, 3), (2, 3, 3)]
    said, written = score_to_folder(tmp_path / "study")
    assert any("Reader 2: relevance: no to all 6: uninformative." in line for line in said)
    assert any(name.endswith("score.html") for name in written)


def test_units_are_scrolled_and_revealed_after_the_answer(open_page, running, study, browser):
    made = study(kind="units", pages=2, slices=3)
    base, _, server = running
    with server.database.writing() as session:
        account = local_account(session)
        token = open_session(session, account)
    context = browser.new_context(bypass_csp=True)  # for the checker
    context.add_cookies([{"name": "spinexplain_session", "value": token, "url": base}])
    page = context.new_page()
    page.goto(f"{base}/studies/{made.id}/")
    view = page.locator(".study-view").first
    view.hover()
    page.mouse.wheel(0, 100)
    assert view.locator("input[type=range]").input_value() == "1"
    assert page.locator("text=superior endplate").count() == 1  # an option, not a suggestion
    for name in ("meaningful", "place", "confidence"):
        page.locator(f"[data-question={name}] label").first.click()
    page.wait_for_selector("#show-reveal:not([disabled])")
    page.click("#show-reveal")
    page.wait_for_selector("#reveal dd")
    assert page.locator("#reveal dd").inner_text() == "superior endplate"
    assert page.locator(".question:not([disabled])").count() == 0
    assert overhang(page) == []
    assert faults(page) == []
    context.close()
