"""The login page in a browser, for pages that others can reach."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from fleet.web.app import make_app
from fleet.web.routes import Room
from tests.live.web.conftest import Watched
from tests.live.web.served import served

PASSWORD = "warehouse 7"


def test_the_password_opens_the_pages_and_leaving_closes_them(
    profile: Callable[..., Watched], accessible: Callable[[Page], None]
) -> None:
    app = make_app([Room("home", "Home", "login.html")], password=PASSWORD)
    with served(app) as url:
        visitor = profile()
        visitor.expected.append("401")
        page = visitor.open(f"{url}/home")
        expect(page).to_have_url(f"{url}/login")
        accessible(page)
        page.get_by_label("Password").fill("guess")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_have_text("this is not the password")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Password").press("Enter")
        expect(page).to_have_url(f"{url}/home")
        assert visitor.context.cookies()[0]["httpOnly"]
        assert page.evaluate("document.cookie") == ""
        visitor.context.close()  # what it still loads is not asked of a server that has ended


def test_a_page_of_somebody_else_cannot_frame_or_call_ours(
    profile: Callable[..., Watched],
) -> None:
    ours = make_app([Room("home", "Home", "login.html")])
    theirs = make_app([Room("evil", "Evil", "login.html")])
    with served(ours) as url, served(theirs) as other:
        visitor = profile()
        visitor.expected += ["frame", "Failed to load", "CORS", "Content Security", "ERR_BLOCKED"]
        visitor.open(f"{url}/home")
        page = visitor.open(f"{other}/evil")
        call = f"fetch('{url}/api/logout', {{method: 'POST', credentials: 'include'}})"
        assert page.evaluate(f"{call}.then(() => 'done', () => 'refused')") == "refused"
        assert len(ours.sessions) == 1
