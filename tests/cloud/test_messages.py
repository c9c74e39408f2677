"""Events and effects of the cloud show who and what, never secrets."""

from fleet.cloud.messages import Commit, HttpRequested, SendReply, SendStream, StreamReceived
from fleet.cloud.store.records import Delete
from fleet.cloud.users import User


def test_a_request_shows_its_path_only() -> None:
    request = HttpRequested(
        3, "POST", "/d.json?sign=hush", {"authorization": "Bearer hush"}, b"hush"
    )
    assert request.authorization == "Bearer hush"
    assert HttpRequested(3, "GET", "/", {}, b"").authorization == ""
    assert repr(request) == "HttpRequested(3, POST /d.json)"


def test_bytes_and_records_show_their_size_only() -> None:
    said = (
        StreamReceived(1, b"hush"),
        SendStream(2, b"hush"),
        SendReply(3, 200, b"hush"),
        Commit((Delete(User, ("hush",)),)),
    )
    assert "hush" not in repr(said)
    assert "SendReply(3, 200, 4 B)" in repr(said)
    assert "Commit(1 changes)" in repr(said)
