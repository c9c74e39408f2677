"""The code flow from end to end: a browser, the page, a program with the vendor's connector."""

import re
import secrets
from typing import Any

import httpx
from tuya_connector import TuyaOpenAPI
from tuya_connector.openapi import TuyaTokenInfo

from fleet.cloud.api.consent_page import PATH
from fleet.cloud.edge.local import LocalCloud
from tests.live.cloud.open.stand import ANNA, DENIED

BACK = "http://127.0.0.1:9/callback"
PASSWORD = "demo-password"


def allow_back(cloud: LocalCloud, access_id: str) -> None:
    """Let the owner of a project name the address on the console's page."""
    with httpx.Client(base_url=cloud.url) as console:
        login = {"name": "other@example.com", "password": PASSWORD}
        session = console.post("/console/v1/login", json=login).json()["result"]["session"]
        answer = console.put(
            f"/console/v1/projects/{access_id}",
            json={"name": "Lamps & more", "schemas": ["otherapp"], "redirects": [BACK]},
            headers={"authorization": f"Bearer {session}"},
        )
        assert answer.json()["success"], answer.text


def test_a_consumer_lets_a_strangers_program_act(tuya_cloud: LocalCloud) -> None:
    project = tuya_cloud.seed.projects[1]
    allow_back(tuya_cloud, project.access_id)
    program: Any = TuyaOpenAPI(tuya_cloud.url, project.access_id, project.secret)
    program.connect()
    path = f"/v1.0/users/{ANNA}/devices"
    assert program.get(path)["code"] == DENIED

    state = secrets.token_urlsafe()
    asked = {"client_id": project.access_id, "redirect_uri": BACK, "state": state}
    with httpx.Client(base_url=tuya_cloud.url) as browser:
        page = browser.get(PATH, params={**asked, "response_type": "code"})
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "Lamps &amp; more" in page.text
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        person = {"schema": "fleet", "name": "anna@example.com", "password": PASSWORD}
        form = {**hidden, **person, "decision": "agree"}
        assert httpx.post(tuya_cloud.url + PATH, data=form).status_code == 403  # no cookie
        answer = browser.post(PATH, data=form, headers={"origin": tuya_cloud.url})
    assert answer.status_code == 303
    location = httpx.URL(answer.headers["location"])
    assert str(location).startswith(f"{BACK}?")
    assert location.params["state"] == state

    program.token_info = None
    token = program.get("/v1.0/token", {"grant_type": 2, "code": location.params["code"]})
    assert token["result"]["uid"] == ANNA
    program.token_info = TuyaTokenInfo(token)
    owned = {one.dev_id for one in tuya_cloud.seed.devices if one.owner == ANNA}
    assert {one["id"] for one in program.get(path)["result"]} == owned
