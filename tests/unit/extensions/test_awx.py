# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The definitions of AWX: every playbook is there, surveys ask what playbooks know, and every name leads somewhere."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.pipeops.platform.plugins.filter.awx_waiting import awx_waiting
from ansible_collections.pipeops.platform.plugins.plugin_utils import awx_references

from tests.awx import definitions, rules
from tests.awx.definitions import ROOT, Json
from tests.awx.store import MANAGED

PLAYBOOKS = ROOT / "playbooks"
DEFINED = definitions.load()
#: Playbooks that AWX does not run.
NOT_FOR_AWX = {
    "ci_access.yml": "an administrator runs it: it makes the very identities that AWX signs in with",
    "configure_awx.yml": "it makes these objects, with a token of an administrator, which AWX should not keep",
    "refresh_prices.yml": "it writes a list into the checkout, and a job's checkout is thrown away",
    "github_protection.yml": "an administrator runs it, with a token of GitHub that may change who approves",
}
#: What a playbook's header offers with -e and its survey leaves out.
NOT_ASKED = {
    ("outputs.yml", "to"): "it writes a file, and a job's files are thrown away",
    ("outputs.yml", "max_age_days"): "it has no value that means that any age will do",
    ("hibernate.yml", "hibernation_nat"): "it is desired state, which stands in the inventory",
}
#: Nodes and schedules of these change something and ask nobody, as the environment's own inventory allows.
UNASKED = {"PipeOps hibernate", "PipeOps wake"}
ROLE = re.compile(r"name: pipeops\.platform\.(\w+)")
IMPORT = re.compile(r"(?:import_tasks|include_tasks|import_playbook): ([\w./]+\.yml)")
OPTION = re.compile(r"-e (\w+)=")
TEMPLATES = {item["name"]: item for item in DEFINED["job_templates"]}


def playbook_of(template: Json) -> Path:
    return PLAYBOOKS / Path(template["playbook"]).name


@cache
def text_of(path: Path) -> str:
    """A playbook with the tasks and the variables that it brings along, and the inputs of its roles."""
    seen: dict[Path, str] = {}
    waiting = [path, *(PLAYBOOKS / "vars").glob("*.yml")]
    while waiting:
        one = waiting.pop().resolve()
        if one in seen or not one.exists():
            continue
        seen[one] = one.read_text("utf-8")
        waiting += [base / name for name in IMPORT.findall(seen[one]) for base in (PLAYBOOKS, one.parent)]
        waiting += [ROOT / "roles" / role / "meta/argument_specs.yml" for role in ROLE.findall(seen[one])]
    return "\n".join(seen.values())


def options_of(path: Path) -> Json:
    """The inputs of the roles that a playbook uses."""
    found: Json = {}
    for role in ROLE.findall(text_of(path)):
        spec = yaml.safe_load((ROOT / "roles" / role / "meta/argument_specs.yml").read_text("utf-8"))
        for entry in spec["argument_specs"].values():
            found |= entry.get("options", {})
    return found


def test_every_playbook_has_a_job_template_or_a_reason() -> None:
    played = [playbook_of(item).name for item in DEFINED["job_templates"]]
    assert Counter(played).most_common(1)[0][1] == 1
    assert sorted([*played, *NOT_FOR_AWX]) == sorted(path.name for path in PLAYBOOKS.glob("*.yml"))
    for item in DEFINED["job_templates"]:
        assert (ROOT / item["playbook"]).is_file(), item["playbook"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_survey_is_one_that_awx_takes(name: str) -> None:
    template = TEMPLATES[name]
    assert set(template) == {"name", "description", "playbook", "scope", "checks", "survey"}
    if template["survey"]:
        rules.survey({"name": name, "description": "", "spec": template["survey"]})
    for question in template["survey"]:
        # What is not required and not answered arrives as an empty text; only a text can be that.
        assert question["required"] or (question["type"], question["default"]) == ("text", "")


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_survey_asks_what_its_playbook_knows(name: str) -> None:
    path = playbook_of(TEMPLATES[name])
    options = options_of(path)
    for question in TEMPLATES[name]["survey"]:
        variable = question["variable"]
        assert re.search(rf"\b{variable}\b", text_of(path)), f"{path.name} does not know {variable}"
        spec = options.get(variable, {})
        if "choices" in spec:
            assert set(question["choices"]) <= set(spec["choices"])
        if spec.get("default") is not None and question["type"] != "text":
            assert question["default"] == spec["default"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_survey_leaves_nothing_out_but_for_a_reason(name: str) -> None:
    path = playbook_of(TEMPLATES[name])
    asked = {question["variable"] for question in TEMPLATES[name]["survey"]}
    header = re.match(r"---\n((?:#.*\n)*)", path.read_text("utf-8"))
    assert header
    offered = set(OPTION.findall(header[1]))
    excused = {variable for playbook, variable in NOT_ASKED if playbook == path.name}
    assert offered - excused <= asked
    assert not excused & asked
    assert ("confirm" in asked) is ("Refuse without a confirmation" in text_of(path))


def test_templates_are_for_whom_the_runbooks_say() -> None:
    typed = re.compile(r"^ansible-playbook playbooks/(dr_\w+)\.yml((?: -i inventories/\w+)+)", re.MULTILINE)
    texts = [path.read_text("utf-8") for path in (ROOT / "docs/runbooks").glob("*.md")]
    scopes = {
        name: "pair" if options.count("-i") == 2 else "environment" for name, options in typed.findall("".join(texts))
    }
    assert len(scopes) == 7
    for name, scope in scopes.items():
        assert TEMPLATES[f"PipeOps {name}"]["scope"] == scope


def test_every_name_leads_somewhere() -> None:
    """With everything of a kind there but one, exactly what refers to this one has to wait."""
    found = standing()
    assert awx_waiting(DEFINED, found) == []
    without = {**found, "credentials": [item for item in found["credentials"] if item["name"] != "PipeOps AWS prod"]}
    waiting = awx_waiting(DEFINED, without)
    assert {"workflow_nodes/PipeOps release/plan prod", "schedules/Drift of prod"} < set(waiting)
    assert all("prod" in label for label in waiting)
    everything = set(awx_references.references(DEFINED))
    assert set(awx_waiting(DEFINED, {kind: [] for kind in found})) == everything


def standing() -> dict[str, list[Any]]:
    """AWX's lists, once all is there."""
    unified = ("projects", "inventory_sources", "job_templates", "workflows")
    nodes = [
        {"identifier": node["identifier"], "summary_fields": {"workflow_job_template": {"name": flow["name"]}}}
        for flow in DEFINED["workflows"]
        for node in flow["nodes"]
    ]
    alike = ("organizations", "credentials", "execution_environments", "inventories", "notification_templates")
    return {
        **{kind: DEFINED[kind] for kind in alike},
        "credential_types": [*DEFINED["credential_types"], *({"name": name} for name in MANAGED)],
        "unified_job_templates": [item for kind in unified for item in DEFINED[kind]],
        "workflow_job_template_nodes": nodes,
    }


def test_names_are_told_apart() -> None:
    for items in standing().values():
        names = Counter(item["name"] for item in items if "name" in item)
        assert [name for name, times in names.items() if times > 1] == []
    for flow in DEFINED["workflows"]:
        identifiers = [node["identifier"] for node in flow["nodes"]]
        assert len(identifiers) == len(set(identifiers))
    assert set(DEFINED["credential_types_by_identity"].values()) <= {
        item["name"] for item in standing()["credential_types"]
    }


def test_environments_are_those_of_the_inventories() -> None:
    environments = {path.name for path in (ROOT / "inventories").iterdir()}
    assert {item["environment"] for item in DEFINED["credentials"]} == environments
    sources = {item["inventory"]: item["source_path"] for item in DEFINED["inventory_sources"]}
    for environment in environments:
        assert sources[f"PipeOps {environment}"] == f"inventories/{environment}"
    for item in DEFINED["inventory_sources"]:
        assert (ROOT / item["source_path"] / "hosts.yml").is_file()
    pair = [item["source_path"] for item in DEFINED["inventory_sources"] if item["inventory"] == "PipeOps prod and dr"]
    assert pair == ["inventories/prod", "inventories/dr"]


@pytest.mark.parametrize("flow", DEFINED["workflows"], ids=lambda flow: flow["name"])
def test_a_workflow_changes_nothing_that_was_not_approved(flow: Json) -> None:
    nodes = {node["identifier"]: node for node in flow["nodes"]}
    before: dict[str, list[str]] = {name: [] for name in nodes}
    for position, (name, node) in enumerate(nodes.items()):
        for following in node.get("success_nodes", []):
            assert list(nodes).index(following) > position, "the playbook makes nodes from the end"
            before[following].append(name)
    assert [name for name, parents in before.items() if not parents] == [next(iter(nodes))]
    for name, node in nodes.items():
        template = TEMPLATES.get(node.get("template", ""))
        if template is None or not template["checks"] or node.get("job_type") == "check":
            continue
        (approval,) = before[name]
        assert nodes[approval]["approval"]["timeout"] > 0
        (plan,) = before[approval]
        alike = ("template", "inventory", "credentials")
        assert nodes[plan]["job_type"] == "check"
        assert [nodes[plan].get(key) for key in alike] == [node.get(key) for key in alike]


@pytest.mark.parametrize("flow", DEFINED["workflows"], ids=lambda flow: flow["name"])
def test_a_workflow_hands_on_what_its_jobs_must_know(flow: Json) -> None:
    asked = {question["variable"]: question for question in flow["survey"]}
    if asked:
        rules.survey({"name": flow["name"], "description": "", "spec": flow["survey"]})
    of_jobs = {
        question["variable"]: question
        for node in flow["nodes"]
        for question in TEMPLATES.get(node.get("template", ""), {"survey": []})["survey"]
    }
    for variable, question in asked.items():
        same = ("type", "choices", "default", "required", "min", "max")
        assert [question.get(key) for key in same] == [of_jobs[variable].get(key) for key in same]
    needed = {name for name, question in of_jobs.items() if question["required"] and "default" not in question}
    assert needed <= set(asked)


@pytest.mark.parametrize("item", DEFINED["schedules"], ids=lambda item: item["name"])
def test_a_schedule_is_one_that_awx_takes(item: Json) -> None:
    rules.rule(item["rrule"])
    template = TEMPLATES.get(item["template"])
    if template is None:
        assert item["template"] == DEFINED["project"]
        return
    shown = {**template, "survey_enabled": True}
    rules.answers(shown, {"spec": template["survey"]}, item.get("extra_data", {}), required=True)
    assert template["name"] in UNASKED or not template["checks"]
    scope = DEFINED["scopes"][template["scope"]]
    assert ("inventory" in item) is scope["asks_inventory"]
    assert bool(item.get("credentials")) is (scope["asks_credential"] and not scope["credentials"])


def test_what_rests_by_awx_rests_by_nothing_else() -> None:
    """Two clocks would wake half of it: an environment has EventBridge's schedules or AWX's."""
    sleepers = {
        item["inventory"].removeprefix("PipeOps ") for item in DEFINED["schedules"] if item["template"] in UNASKED
    }
    assert sleepers == {"dev"}
    for path in (ROOT / "inventories/dev/host_vars/dev").glob("*.yml"):
        assert "hibernation_schedule" not in yaml.safe_load(path.read_text("utf-8"))
    platform = yaml.safe_load((ROOT / "inventories/dev/host_vars/dev/platform.yml").read_text("utf-8"))
    assert platform["platform_hibernation_allowed"] is True


def test_credential_types_are_ones_that_awx_takes() -> None:
    for item in DEFINED["credential_types"]:
        rules.credential_type(item)
        inputs = DEFINED[f"inputs_of_{'web_identity' if 'web' in item['name'] else 'assumed_role'}"]
        rules.credential(dict.fromkeys(inputs, ""), item)
        assert set(item["inputs"]["required"]) <= set(inputs)
