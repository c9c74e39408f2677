"""Projects: keys that are made or given, what they may, and whose app schemas are."""

import msgspec
import pytest

from firmware_sim.rng import Rng
from fleet.cloud.ledger import Journal, nothing
from fleet.cloud.projects import PROJECTS_PER_OWNER_MAX, Project, Projects
from fleet.cloud.reasons import Reason, Refused


@pytest.fixture
def projects() -> Projects:
    return Projects(nothing, Journal(), Rng(1).bytes)


def test_keys_are_made_or_given(projects: Projects) -> None:
    made = projects.add("maker", "one")
    given = projects.add("maker", "two", access_id="id", secret="secret", schemas=("app",))
    assert (len(made.access_id), len(made.secret)) == (20, 32)
    assert set(made.secret) <= set("0123456789abcdef")
    assert (given.access_id, given.secret, given.schemas) == ("id", "secret", ("app",))
    assert projects.get("id") == given
    assert projects.get("nobody") is None
    assert len(projects) == 2


def test_projects_are_found_by_owner_and_schema(projects: Projects) -> None:
    second = projects.add("maker", "b", access_id="b", schemas=("app",))
    first = projects.add("maker", "a", access_id="a", schemas=("app", "more"))
    other = projects.add("other", "c", access_id="c", schemas=("theirs",))
    assert projects.all() == [first, second, other]
    assert projects.of_owner("maker") == [first, second]
    assert projects.of_schema("app") == [first, second]
    assert projects.of_schema("theirs") == [other]
    assert projects.of_schema("none") == []


def test_an_access_id_belongs_to_one_project(projects: Projects) -> None:
    projects.add("maker", "a", access_id="a")
    with pytest.raises(Refused, match=Reason.NAME_TAKEN):
        projects.add("other", "b", access_id="a")


def test_an_app_belongs_to_one_account(projects: Projects) -> None:
    projects.add("maker", "a", schemas=("app",))
    with pytest.raises(Refused, match="the app app belongs to another account"):
        projects.add("other", "b", schemas=("new", "app"))
    projects.check_schemas("maker", ("app", "new"))


def test_asset_users_are_the_projects_and_nobodys_else(projects: Projects) -> None:
    project = projects.add("maker", "a", access_id="a", schemas=("app",))
    assert project.asset_app == "assets:a"
    assert [project.owns_app(one) for one in ("app", "assets:a", "assets:b", "")] == [
        *(True, True),
        *(False, False),
    ]
    for account in ("maker", "other"):
        with pytest.raises(Refused, match="no app can be called assets:a"):
            projects.add(account, "b", schemas=("assets:a",))


def test_an_account_has_so_many_projects(projects: Projects) -> None:
    for number in range(PROJECTS_PER_OWNER_MAX):
        projects.add("maker", f"{number}")
    with pytest.raises(Refused, match=Reason.TOO_MANY):
        projects.add("maker", "one more")
    projects.add("other", "first")


def test_regions_and_families_are_named_or_all(projects: Projects) -> None:
    everything = projects.add("maker", "a")
    some = projects.add("maker", "b", regions=("EU", "IN"), families=("homes",))
    none = projects.add("maker", "c", regions=(), families=())
    assert everything.enabled_in("AZ")
    assert everything.subscribed("homes")
    assert [some.enabled_in(region) for region in ("EU", "IN", "AZ")] == [True, True, False]
    assert [some.subscribed(family) for family in ("homes", "users")] == [True, False]
    assert not none.enabled_in("EU")
    assert not none.subscribed("homes")


def test_a_project_is_replaced(projects: Projects) -> None:
    project = projects.add("maker", "a", access_id="a")
    projects.put(msgspec.structs.replace(project, plan="expired"))
    assert projects.all()[0].plan == "expired"


def test_the_own_id_of_a_project_is_nobodys_uid() -> None:
    one, other = Project("a", "s", "maker", "x"), Project("b", "s", "maker", "x")
    assert one.uid.startswith("bay")
    assert len(one.uid) == 20
    assert one.uid != other.uid
    assert Project("a", "t", "other", "y").uid == one.uid


def test_the_secret_is_not_shown() -> None:
    assert repr(Project("a", "hush", "maker", "x")) == "Project('a', owner='maker')"
