# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local AWX refuses what AWX refuses: a server that takes everything would prove nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.awx import rules
from tests.awx.definitions import ROOT
from tests.awx.rules import Refused
from tests.awx.server import USER, Server, serving

URL = "https://example.com/platform.git"
RULE = "DTSTART;TZID=America/Los_Angeles:20260105T010000 RRULE:FREQ=DAILY;INTERVAL=1"
QUESTION = {"question_name": "Q", "variable": "confirm", "type": "text", "required": True}
CHOICE = {"question_name": "Q", "variable": "keep", "type": "multiplechoice", "required": True, "choices": ["a", "b"]}


class Client:
    """Speaks with a server, and makes what others refer to."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {server.token()}"

    def ask(self, method: str, path: str, **data: Any) -> requests.Response:
        address = f"{self.server.url}/api/v2/{path}"
        return self.session.request(method, address, json=data if method != "GET" else None, timeout=5)

    def make(self, kind: str, **data: Any) -> Any:
        answer = self.ask("POST", f"{kind}/", **data)
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving({URL: ROOT}) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    client = Client(server)
    organization = client.make("organizations", name="org")["id"]
    project = client.make("projects", name="project", organization=organization, scm_type="git", scm_url=URL)
    update = project["summary_fields"]["current_update"]["id"]
    states = [client.ask("GET", f"project_updates/{update}/").json()["status"] for _look in range(2)]
    assert states == ["running", "successful"]
    inventory = client.make("inventories", name="inventory", organization=organization)["id"]
    client.make("inventories", name="another", organization=organization)
    client.make(
        "job_templates", name="fixed", project=project["id"], playbook="playbooks/cost.yml", inventory=inventory
    )
    asking = {"ask_inventory_on_launch": True, "ask_credential_on_launch": True, "survey_enabled": True}
    asks = client.make("job_templates", name="asks", project=project["id"], playbook="playbooks/site.yml", **asking)
    survey = {"name": "", "description": "", "spec": [QUESTION, {**CHOICE, "required": False}]}
    assert client.ask("POST", f"job_templates/{asks['id']}/survey_spec/", **survey).status_code == 200
    client.make("workflow_job_templates", name="flow", organization=organization)
    return client


def ids(client: Client) -> dict[str, int]:
    store = client.server.store
    return {item["name"]: item["id"] for item in store.objects.values() if "name" in item and "finished" not in item}


#: What is posted, and a part of the refusal. A text that begins with @ stands for the id of what has that name.
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("organizations", {}, "This field is required."),
    ("organizations", {"name": ""}, "may not be blank"),
    ("organizations", {"name": None}, "may not be null"),
    ("organizations", {"name": "org"}, "already exists"),
    ("organizations", {"name": "x", "max_hosts": "many"}, "A valid integer is required."),
    ("inventories", {"name": "x", "organization": 9999}, "object does not exist"),
    ("inventories", {"name": "x", "organization": "@project"}, "object does not exist"),
    ("inventories", {"name": "x", "organization": "@org", "kind": "clever"}, "is not a valid choice"),
    ("inventory_sources", {"name": "x", "inventory": "@inventory", "source": "scm"}, "Project required"),
    ("credentials", {"name": "x", "credential_type": "@Machine"}, "Missing 'user', 'team', or 'organization'."),
    (
        "credentials",
        {"name": "x", "organization": "@org", "credential_type": "@Machine", "inputs": {"pw": "1"}},
        "'pw'",
    ),
    ("credential_types", {"name": "x", "kind": "ssh"}, "is not a valid choice"),
    ("credential_types", {"name": "x", "kind": "cloud", "injectors": {"env": {"A": "{{ b }}"}}}, "is undefined"),
    ("credential_types", {"name": "x", "kind": "cloud", "injectors": {"env": {"ANSIBLE_A": "b"}}}, "not allowed"),
    ("credential_types", {"name": "x", "kind": "cloud", "inputs": {"required": ["a"]}}, "must be unique"),
    ("execution_environments", {"name": "x", "image": ""}, "may not be blank"),
    ("job_templates", {"name": "x", "playbook": "playbooks/site.yml"}, "This field is required."),
    ("job_templates", {"name": "x", "project": "@project", "playbook": "site.yml"}, "Playbook not found"),
    ("job_templates", {"name": "x", "project": "@project", "playbook": "playbooks/site.yml"}, "ask to prompt on"),
    ("notification_templates", {"name": "x", "organization": "@org", "notification_type": "slack"}, "is required"),
    (
        "notification_templates",
        {
            "name": "x",
            "organization": "@org",
            "notification_type": "slack",
            "notification_configuration": {"token": ""},
        },
        "Missing required fields",
    ),
    ("schedules", {"name": "x", "unified_job_template": "@fixed", "rrule": "daily"}, "Valid DTSTART required"),
    ("schedules", {"name": "x", "unified_job_template": "@fixed", "rrule": RULE, "inventory": "@another"}, "prompt"),
    ("schedules", {"name": "x", "unified_job_template": "@asks", "rrule": RULE, "inventory": "@another"}, "missing"),
    (
        "schedules",
        {"name": "x", "unified_job_template": "@fixed", "rrule": RULE, "extra_data": {"a": 1}},
        "not allowed",
    ),
    (
        "workflow_job_template_nodes",
        {"identifier": "x", "workflow_job_template": "@flow", "unified_job_template": "@asks"},
        "inventory is missing",
    ),
    (
        "workflow_job_template_nodes",
        {"identifier": "x", "workflow_job_template": "@flow", "unified_job_template": "@fixed", "job_type": "check"},
        "not configured to prompt",
    ),
    ("project_updates", {"name": "x"}, "not allowed"),
    ("hosts", {"name": "x"}, "could not be found"),
]


@pytest.mark.parametrize(("kind", "data", "refusal"), WRONG)
def test_refuses(client: Client, kind: str, data: dict[str, Any], refusal: str) -> None:
    known = ids(client)
    posted = {
        name: known[value[1:]] if isinstance(value, str) and value.startswith("@") else value
        for name, value in data.items()
    }
    before = len(client.server.store.objects)
    answer = client.ask("POST", f"{kind}/", **posted)
    assert answer.status_code >= 400, answer.text
    assert refusal in answer.text
    assert len(client.server.store.objects) == before


@pytest.mark.parametrize(
    ("survey", "refusal"),
    [
        ({"description": "", "spec": [QUESTION]}, "Field 'name' is missing"),
        ({"name": "", "description": "", "spec": []}, "doesn't contain any items"),
        ({"name": "", "description": "", "spec": [{**QUESTION, "required": "yes"}]}, "of another type"),
        ({"name": "", "description": "", "spec": [{**QUESTION, "type": "boolean"}]}, "not one of the allowed"),
        ({"name": "", "description": "", "spec": [QUESTION, QUESTION]}, "duplicated"),
        ({"name": "", "description": "", "spec": [{**QUESTION, "type": "integer", "default": "7"}]}, "integer"),
        ({"name": "", "description": "", "spec": [{**QUESTION, "type": "multiplechoice"}]}, "must specify choices"),
        ({"name": "", "description": "", "spec": [{**CHOICE, "default": "c"}]}, "from the choices listed"),
    ],
)
def test_refuses_a_survey(survey: dict[str, Any], refusal: str) -> None:
    with pytest.raises(Refused, match=refusal):
        rules.survey(survey)


@pytest.mark.parametrize(
    ("rule", "refusal"),
    [
        (RULE.replace(";INTERVAL=1", ""), "INTERVAL required"),
        ("DTSTART:20260105T010000 RRULE:FREQ=DAILY;INTERVAL=1", "naive"),
        (f"{RULE} DTSTART:20260105T010000Z", "Multiple DTSTART"),
        (RULE.replace("DAILY", "SECONDLY"), "SECONDLY is not supported"),
        (RULE.replace("DAILY", "REGULARLY"), "parsing failed"),
        (RULE.replace("America/Los_Angeles", "America/Nowhere"), "valid TZID"),
        ("DTSTART:20260105T010000Z", "One or more rule required"),
        (f"{RULE};COUNT=1;UNTIL=20270101T000000Z", "both COUNT and UNTIL"),
    ],
)
def test_refuses_a_rule(rule: str, refusal: str) -> None:
    with pytest.raises(Refused, match=refusal):
        rules.rule(rule)
    rules.rule(RULE)


def test_tokens_and_scopes(server: Server) -> None:
    assert requests.get(f"{server.url}/api/v2/ping/", timeout=5).json()["version"] == "24.6.1"
    assert requests.get(f"{server.url}/api/v2/config/", timeout=5).status_code == 401
    reading = {"Authorization": f"Bearer {server.token('read')}"}
    assert requests.get(f"{server.url}/api/v2/config/", headers=reading, timeout=5).status_code == 200
    posted = requests.post(f"{server.url}/api/v2/organizations/", headers=reading, json={"name": "y"}, timeout=5)
    assert posted.status_code == 403
    assert requests.post(f"{server.url}/api/v2/tokens/", auth=("admin", "guess"), timeout=5).status_code == 401
    token = requests.post(f"{server.url}/api/v2/tokens/", auth=USER, timeout=5).json()["token"]
    mine = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{server.url}/api/v2/organizations/", headers=mine, timeout=5).status_code == 200


def test_lists_have_pages_and_filters(client: Client) -> None:
    organization = ids(client)["org"]
    for number in range(30):
        client.make("execution_environments", name=f"image {number}", image="image", organization=organization)
    page = client.ask("GET", "execution_environments/").json()
    assert (page["count"], len(page["results"])) == (30, 25)
    rest = client.session.get(client.server.url + page["next"], timeout=5).json()
    assert (len(rest["results"]), rest["next"]) == (5, None)
    found = client.ask("GET", "execution_environments/?name=image 7&organization__name=org").json()
    assert [item["name"] for item in found["results"]] == ["image 7"]
    assert client.ask("GET", "execution_environments/?colour=red").status_code == 400
    assert client.ask("GET", "organizations").status_code == 404


def test_nodes_go_one_way_and_approvals_are_made_at_them(client: Client) -> None:
    flow = ids(client)["flow"]
    first = client.make("workflow_job_template_nodes", identifier="first", workflow_job_template=flow)
    last = client.make("workflow_job_template_nodes", identifier="last", workflow_job_template=flow)
    assert (
        client.ask("POST", f"workflow_job_template_nodes/{first['id']}/success_nodes/", id=last["id"]).status_code
        == 204
    )
    back = client.ask("POST", f"workflow_job_template_nodes/{last['id']}/success_nodes/", id=first["id"])
    assert "Cycle detected" in back.text
    approval = first["related"]["create_approval_template"].removeprefix("/api/v2/")
    assert client.ask("POST", approval, description="without a name").status_code == 400
    made = client.ask("POST", approval, name="Go on", timeout=60)
    assert (made.status_code, made.json()["type"]) == (201, "workflow_approval_template")
    node = client.ask("GET", f"workflow_job_template_nodes/{first['id']}/").json()
    assert node["related"]["unified_job_template"] == made.json()["url"]
    assert client.ask("GET", f"workflow_approval_templates/{made.json()['id']}/success_nodes/").status_code == 404


def test_secrets_are_not_shown(client: Client) -> None:
    known = ids(client)
    inputs = {"username": "key", "password": "secret"}
    data = {"organization": known["org"], "credential_type": known["Amazon Web Services"], "inputs": inputs}
    made = client.make("credentials", name="keys", **data)
    assert made["inputs"] == {"username": "key", "password": "$encrypted$"}
    shown = {"inputs": made["inputs"] | {"username": "another"}}
    assert client.ask("PATCH", f"credentials/{made['id']}/", **shown).status_code == 200
    kept = client.server.store.objects[made["id"]]["inputs"]
    assert kept == {"username": "another", "password": "secret"}


def test_one_credential_of_a_type(client: Client) -> None:
    known = ids(client)
    template = f"job_templates/{known['asks']}/credentials/"
    data = {"organization": known["org"], "credential_type": known["Machine"]}
    one, two = (client.make("credentials", name=name, **data)["id"] for name in ("one", "two"))
    assert client.ask("POST", template, id=one).status_code == 204
    assert "Cannot assign multiple" in client.ask("POST", template, id=two).text
    assert client.ask("POST", template, id=one, disassociate=True).status_code == 204


def test_playbooks_of_a_project_are_those_of_the_checkout(client: Client) -> None:
    found = client.ask("GET", f"projects/{ids(client)['project']}/playbooks/").json()
    own = {path.name for path in Path(ROOT, "playbooks").glob("*.yml")}
    assert set(found) == {f"playbooks/{name}" for name in own}
