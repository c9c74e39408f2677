"""The call by which a user's program gets an MQTT connection, to hear of the user's devices.

Two paths, of the smart home and the industry family, take and answer the same. `link_id` tells the
programs of one user apart; `source_topic` is what to subscribe to, by what it is about; there is
nothing to publish, commands go over HTTP. Sources: "Sync Status" (developer.tuya.com);
tuya/tuya-iot-python-sdk, `tuya_iot/openmq.py`, for fields, paths and the encryption that is asked
for. Of the subjects we have `device` only, not `ipc`, which is for video.
"""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from firmware_sim.wire.structs import Secretive
from fleet.cloud import rights
from fleet.cloud.api.shapes import Id
from fleet.cloud.open.routes import Family, OpenCall, Route

LinkId = Annotated[str, Meta(min_length=1, max_length=128)] | int


class LinkForm(msgspec.Struct, frozen=True):
    """Whose devices, for which program of that user, and how messages are to be encrypted."""

    uid: Id
    link_id: LinkId
    link_type: Literal["mqtt"] = "mqtt"
    topics: Literal["device"] = "device"
    msg_encrypted_version: Literal["1.0", "2.0"] = "1.0"


class LinkView(Secretive, frozen=True):
    """Where and as whom to connect, what to subscribe to; `expire_time` in seconds from now."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password"})

    url: str
    client_id: str
    username: str
    password: str
    source_topic: dict[str, str]
    sink_topic: dict[str, str]
    expire_time: int


def routes(mqtt_url: str) -> tuple[Route, ...]:
    """Return the table of this module; `mqtt_url` is `tcp://HOST:PORT`, or `ssl://` with TLS."""

    def open_link(call: OpenCall) -> LinkView:
        """Give a program of a user its credentials; the user's oldest ones may end for that."""
        form = call.body_as(LinkForm)
        rights.check_user(call, form.uid)
        links, version = call.state.app_links, form.msg_encrypted_version
        project, region = call.caller.project, call.caller.region
        link = links.open(project, region, form.uid, str(form.link_id), version, call.now_ms)
        for old in links.surplus(form.uid):
            call.link.end_app(old)
        call.link.expect(link.client_id, b"")
        return LinkView(
            url=mqtt_url,
            client_id=link.client_id,
            username=link.username,
            password=link.password,
            source_topic={"device": link.topic},
            sink_topic={"device": "cloud/token/out/{device_id}"},
            expire_time=link.remaining_s(call.now_ms),
        )

    return (
        Route("POST", "/v1.0/open-hub/access/config", open_link, Family.DEVICES),
        Route("POST", "/v1.0/iot-03/open-hub/access-config", open_link, Family.INDUSTRY),
    )
