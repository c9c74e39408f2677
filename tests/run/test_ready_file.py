"""The ready file: what it says of a cloud, and that nobody else gets to see it."""

import json

from fleet.cloud.edge.server import Ready
from fleet.run.ready_file import (
    Papers,
    ReadyAccount,
    ReadyDevice,
    ReadyKey,
    encode,
    papers,
)

READY = Ready("::1", 8080, 1883, region_ports={"AZ": 8081})
KEY = ReadyKey("id", "s3cret", "maker", ("app", "other"))
PERSON = ReadyAccount("maker", "s3cret", "developer")
DEVICE = ReadyDevice("", "uuid", "s3cret", "s3cret", "", "", "", "", "", "")


def of(code: str, told: Papers) -> tuple[str, str]:
    (region,) = (region for region in told.regions if region.code == code)
    return region.open_api, region.push


def test_it_says_where_everything_is() -> None:
    told = papers(READY, [KEY, ReadyKey("two", "", "", ())], [PERSON], [DEVICE])
    assert (told.console, told.open_api) == ("http://[::1]:8080", "http://[::1]:8080")
    assert told.device_api == "http://[::1]:8080/d.json"
    assert (told.mqtt, told.push) == ("mqtt://[::1]:1883", "ws://[::1]:8080/")
    assert (told.access_id, told.access_secret, told.schema) == ("id", "s3cret", "app")
    assert of("AZ", told) == ("http://[::1]:8081", "ws://[::1]:8081/")
    assert of("UE", told) == ("http://[::1]:8080/us-e", "ws://[::1]:8080/us-e/")


def test_devices_may_have_a_port_of_their_own() -> None:
    told = papers(Ready("::1", 8080, 1883, device_port=8443), [], [])
    assert told.device_api == "http://[::1]:8443/d.json"
    assert told.iot_dns == "http://[::1]:8443/v2/url_config"
    assert told.console == "http://[::1]:8080"


def test_without_a_project_there_is_no_key() -> None:
    told = json.loads(encode(papers(READY, [], [])))
    assert (told["access_id"], told["access_secret"], told["schema"]) == ("", "", "")
    assert (told["projects"], told["accounts"], told["devices"]) == ([], [], [])


def test_secrets_are_not_shown() -> None:
    told = papers(READY, [KEY], [PERSON], [DEVICE])
    assert "s3cret" not in repr((told, told.projects, told.accounts, told.devices))
