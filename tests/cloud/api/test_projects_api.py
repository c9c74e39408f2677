"""The console's page of projects: make one, see its keys, choose anew."""

import pytest

from fleet.cloud.api.projects_api import ProjectView
from fleet.cloud.settings import Settings
from tests.cloud.open.program import ACCESS_ID, OTHER_ID, SECRET, Program, open_world
from tests.cloud.support import OWNER, STRANGER, assert_reloads

PROJECTS = "/console/v1/projects"


def test_a_project_is_made_with_keys_that_work() -> None:
    world = open_world()
    session = world.account(STRANGER)
    made = world.get("POST", PROJECTS, {"name": "new", "schemas": ["mine"]}, session)
    assert made["signing"] == "v2"
    assert (made["regions"], made["families"], made["allowed_ips"]) == (["*"], ["*"], [])
    assert Program(world, made["access_id"], made["secret"]).connect()["expire_time"] == 7200
    listed = world.get("GET", PROJECTS, None, session)
    assert sorted(project["access_id"] for project in listed) == sorted(
        [OTHER_ID, made["access_id"]]
    )
    assert made in listed


def test_message_push_is_chosen_for_a_project() -> None:
    world = open_world()
    session = world.account(OWNER)
    (before,) = world.get("GET", PROJECTS, None, session)
    assert (before["push_families"], before["push_encryption"]) == ("", "")
    chosen = {"push_families": "both", "push_encryption": "aes_gcm"}
    changed = world.get("PUT", f"{PROJECTS}/{ACCESS_ID}", {"name": "own", **chosen}, session)
    assert changed.items() >= chosen.items()
    assert_reloads(world)


def test_where_the_consent_page_may_send_a_browser() -> None:
    world = open_world()
    session = world.account(OWNER)
    addresses = ["https://shop.test/back?shop=1", "http://127.0.0.1:9000", "http://[::1]:80/"]
    form = {"name": "own", "redirects": addresses}
    assert world.get("PUT", f"{PROJECTS}/{ACCESS_ID}", form, session)["redirects"] == addresses
    assert_reloads(world)


@pytest.mark.parametrize(
    "address",
    [
        *("", "shop.test", "ftp://shop.test", "javascript:alert(1)", "https:///back"),
        *("https://shop.test/back#part", "https://shop.test/a b", "https://shop.test/\n"),
        *("https://shop.test;script-src *", "https://user@shop.test/", "https://shop.test?a=1"),
    ],
)
def test_no_browser_is_sent_to_what_is_no_address(address: str) -> None:
    world = open_world()
    form = {"name": "own", "redirects": [address]}
    assert world.refusal("POST", PROJECTS, form, world.account(OWNER)) == "bad_request"


def test_an_owner_sees_its_own_projects() -> None:
    world = open_world()
    (own,) = world.get("GET", PROJECTS, None, world.account(OWNER))
    assert (own["access_id"], own["secret"], own["schemas"]) == (ACCESS_ID, SECRET, ["app"])
    assert world.refusal("GET", PROJECTS) == "no_session"


def test_what_is_chosen_counts_from_the_next_call() -> None:
    world = open_world()
    session, program = world.account(OWNER), Program(world)
    program.connect()
    for form, code in (
        ({"allowed_ips": ["10.0.0.0/8"]}, 1114),
        ({"regions": ["AZ", "IN"]}, 28841107),
        ({"families": ["homes"]}, 28841101),
        ({"plan": "used_up"}, 28841004),
        ({"signing": "v1"}, 1004),
    ):
        changed = world.get("PUT", f"{PROJECTS}/{ACCESS_ID}", {"name": "own", **form}, session)
        assert changed["secret"] == SECRET
        assert program.code("GET", "/v1.0/echo/it") == code
    world.get("PUT", f"{PROJECTS}/{ACCESS_ID}", {"name": "own"}, session)
    assert program.call("GET", "/v1.0/echo/it")["success"]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"name": ""},
        {"name": "x", "signing": "v3"},
        {"name": "x", "regions": ["XX"]},
        {"name": "x", "families": ["everything"]},
        {"name": "x", "allowed_ips": ["ten"]},
        {"name": "x", "plan": "free"},
        {"name": "x", "schemas": ["s"] * 101},
        {"name": "x", "push_families": "all"},
        {"name": "x", "push_encryption": "none"},
    ],
)
def test_what_cannot_be_chosen_is_refused(form: dict[str, object]) -> None:
    world = open_world()
    session = world.account(OWNER)
    assert world.refusal("POST", PROJECTS, form, session) == "bad_request"
    assert world.refusal("PUT", f"{PROJECTS}/{ACCESS_ID}", form, session) == "bad_request"


def test_projects_and_apps_of_others_are_out_of_reach() -> None:
    world = open_world()
    session = world.account(STRANGER)
    assert world.refusal("PUT", f"{PROJECTS}/{ACCESS_ID}", {"name": "x"}, session) == "not_found"
    assert world.refusal("PUT", f"{PROJECTS}/nobody", {"name": "x"}, session) == "not_found"
    app = {"name": "x", "schemas": ["app"]}
    assert world.refusal("POST", PROJECTS, app, session) == "name_taken"
    assert world.refusal("PUT", f"{PROJECTS}/{OTHER_ID}", app, session) == "name_taken"


def test_nobody_takes_the_app_of_those_who_chose_none() -> None:
    world = open_world()
    session = world.account(STRANGER)
    common = {"name": "new", "schemas": [Settings().app_schema]}
    assert world.refusal("POST", PROJECTS, common, session) == "name_taken"
    made = world.get("POST", PROJECTS, {"name": "new", "schemas": ["mine"]}, session)
    path = f"{PROJECTS}/{made['access_id']}"
    assert world.refusal("PUT", path, common, session) == "name_taken"


def test_a_secret_is_not_shown() -> None:
    view = ProjectView("id", "hush", "name", "v2", (), (), (), (), "", "", "", ())
    assert "hush" not in repr(view)
