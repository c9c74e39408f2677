import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed, PeerError
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import atop_upgrade as upgrade
from firmware_sim.wire.atop_upgrade import FileDownload, UpgradeGet, UpgradeOffer, UpgradeStatus

from .support import outcome, truncations

# As tuya/tuya-connect-kit-for-mqtt-embedded-c, src/matop_service.c, formats them.
GET = b'{"type":0,"t":1700000000}'
DOWNLOAD = b'{"url":"https://a/fw.bin","range":"bytes=1024-2047","type":2}'
# As ct-Open-Source/tuya-convert, scripts/fake-registration-server.py, answers.
OFFER = (
    b'{"auto":true,"type":0,"size":"505867","version":"9.0.0",'
    b'"url":"http://10.42.42.1/files/upgrade.bin","md5":"9aeeb1f7b6dacb6f251445aac49181a9"}'
)
CARRIED = [
    UpgradeGet(type=9, cid="a4c1382a6c5e4e5a", t=5),
    UpgradeOffer(
        type=0, version="1.0.1", size="1024", md5="0" * 32, hmac="A" * 64, url="http://a/b"
    ),
    upgrade.file_download("http://a/b", 0, 1023),
]


@pytest.mark.parametrize("message", CARRIED)
def test_both_ways(message: messages.Message) -> None:
    data = messages.encode(message)
    assert messages.decode(data, type(message)) == message
    for cut in truncations(data):
        with pytest.raises(PeerError):
            messages.decode(cut, type(message))


def test_requests_as_firmware_writes_them() -> None:
    assert messages.encode(UpgradeGet(type=0, t=1700000000)) == GET
    assert messages.encode(upgrade.file_download("https://a/fw.bin", 1024, 2047)) == DOWNLOAD
    assert messages.decode(DOWNLOAD, FileDownload).span() == (1024, 2047)


def test_an_offer_as_earlier_emulators_make_it() -> None:
    offer = messages.decode(OFFER, UpgradeOffer)
    assert (offer.version, int(offer.size), offer.hmac) == ("9.0.0", 505867, "")


def test_the_range_0_0_asks_for_the_size() -> None:
    assert upgrade.file_download("u", 0, 0).type == 1
    assert upgrade.file_download("u", 0, 1).type == 2


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_span_comes_back(first: int, size: int) -> None:
    assert upgrade.file_download("u", first, first + size).span() == (first, first + size)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bytes=1-0",
        "bytes=-5",
        "bytes=5-",
        "bytes=1-2,3-4",
        "bytes=1-2\n",
        "bytes=1-" + "9" * 11,
        "bytes=\N{ARABIC-INDIC DIGIT ONE}-2",
    ],
)
def test_a_bad_range_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match="range"):
        FileDownload(url="u", range=text, type=2).span()


@pytest.mark.parametrize("size", ["", "-1", "1.5", "x", "9" * 11, "1\n"])
def test_a_size_is_a_number(size: str) -> None:
    offer = UpgradeOffer(type=0, version="1", size=size, url="u")
    with pytest.raises(Malformed):
        messages.decode(messages.encode(offer), UpgradeOffer)


def test_numbers_of_the_status() -> None:
    assert UpgradeStatus(3) is UpgradeStatus.FINISHED
    assert {int(status) for status in UpgradeStatus} == {1, 2, 3, 4, 10, 11, 12, *range(40, 50)}


@given(st.sampled_from([type(message) for message in CARRIED]), st.binary(max_size=200), st.text())
def test_garbage_is_a_message_or_a_peer_error(
    kind: type[messages.Message], data: bytes, text: str
) -> None:
    outcome(messages.decode, data, kind)
    outcome(FileDownload(url="u", range=f"bytes={text}", type=2).span)
