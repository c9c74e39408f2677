"""Events and effects of the cloud show who and what, never secrets."""

from fleet.cloud.messages import HttpRequested


def test_a_request_shows_its_path_only() -> None:
    request = HttpRequested(3, "POST", "/d.json?sign=hush", "Bearer hush", b"hush")
    assert repr(request) == "HttpRequested(3, POST /d.json)"
