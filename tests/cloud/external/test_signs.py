"""Signs are plain values, which compare by what they say."""

from fleet.cloud.external.signs import Came, Hears, HearsNoMore, Left
from fleet.cloud.happenings import Gone


def test_they_name_the_client_and_differ_by_kind() -> None:
    signs = [Came("a", "a"), Left("a", Gone.LOST), Hears("a", "t"), HearsNoMore("a", "t")]
    assert {sign.client_id for sign in signs} == {"a"}
    assert len(set(signs)) == 4
    assert Hears("a", "t") == Hears("a", "t")
