"""What the console's side of the phone reads, and what it leaves unread."""

import msgspec

from fleet.app.console_messages import Batch, Explanation, GrantOrder, Project, PushProject


def test_secrets_have_no_place_to_be_read_into() -> None:
    for kind in (Batch, Project, PushProject):
        names = {*kind.__struct_fields__}
        assert not names & {"secret", "token", "text", "password"}, kind


def test_what_a_newer_cloud_says_besides_is_passed_over() -> None:
    said = msgspec.json.decode(b'{"allowed":true,"lines":["yes"],"more":1}', type=Explanation)
    assert said == Explanation(allowed=True, lines=("yes",))


def test_an_order_names_right_or_role() -> None:
    order = GrantOrder(kind="partner", grantee="bob", products=("p1",), right="both")
    assert msgspec.to_builtins(order) == {
        "kind": "partner",
        "grantee": "bob",
        "products": ("p1",),
        "right": "both",
        "role": "",
    }
