# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each definition of extensions/awx refers to, by the names that AWX looks it up by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: An object as AWX's API has it: its collection and its name.
Reference = tuple[str, str]
Definitions = Mapping[str, Any]

TEMPLATES = "unified_job_templates"
NODES = "workflow_job_template_nodes"


def references(definitions: Definitions) -> dict[str, list[Reference]]:
    """For each thing that a run manages, as KIND/NAME, what has to be there before."""
    found: dict[str, list[Reference]] = {}
    for label, needs in (*_shared(definitions), *_jobs(definitions), *_nodes(definitions), *_schedules(definitions)):
        found[label] = needs
    return found


def _shared(definitions: Definitions) -> Iterator[tuple[str, list[Reference]]]:
    organization = ("organizations", definitions["organization"])
    image = ("execution_environments", definitions["execution_environment"])
    for item in definitions["credentials"]:
        yield f"credentials/{item['name']}", [organization, ("credential_types", definitions["credential_type"])]
    for kind in ("execution_environments", "inventories", "notification_templates"):
        for item in definitions[kind]:
            yield f"{kind}/{item['name']}", [organization]
    for item in definitions["projects"]:
        yield f"projects/{item['name']}", [organization, image]
    for item in definitions["inventory_sources"]:
        yield (
            f"inventory_sources/{item['name']}",
            [organization, image, (TEMPLATES, definitions["project"]), ("inventories", item["inventory"])],
        )
    yield (
        f"organizations/{definitions['organization']}/notifications",
        [organization, *_named("notification_templates", _names(definitions["notification_templates"]))],
    )


def _jobs(definitions: Definitions) -> Iterator[tuple[str, list[Reference]]]:
    organization = ("organizations", definitions["organization"])
    common = [organization, (TEMPLATES, definitions["project"])]
    common.append(("execution_environments", definitions["execution_environment"]))
    for item in definitions["job_templates"]:
        scope = definitions["scopes"][item["scope"]]
        yield f"job_templates/{item['name']}", [*common, *_asked(scope)]
    for item in definitions["workflows"]:
        told = _names(definitions["notification_templates"]) if item["announced"] else []
        yield f"workflows/{item['name']}", [organization, *_named("notification_templates", told)]


def _nodes(definitions: Definitions) -> Iterator[tuple[str, list[Reference]]]:
    for workflow in definitions["workflows"]:
        own = [("organizations", definitions["organization"]), (TEMPLATES, workflow["name"])]
        for node in workflow["nodes"]:
            label = f"workflow_nodes/{workflow['name']}/{node['identifier']}"
            following = [(NODES, f"{workflow['name']}/{name}") for name in node.get("success_nodes", [])]
            if "approval" in node:
                yield label, own
                yield f"{label}/next", [*own, (NODES, f"{workflow['name']}/{node['identifier']}"), *following]
            else:
                yield label, [*own, (TEMPLATES, node["template"]), *_asked(node), *following]


def _schedules(definitions: Definitions) -> Iterator[tuple[str, list[Reference]]]:
    for item in definitions["schedules"]:
        needs = [("organizations", definitions["organization"]), (TEMPLATES, item["template"]), *_asked(item)]
        yield f"schedules/{item['name']}", needs


def _asked(item: Mapping[str, Any]) -> list[Reference]:
    inventory = [item["inventory"]] if item.get("inventory") else []
    return [*_named("inventories", inventory), *_named("credentials", item.get("credentials", []))]


def _named(kind: str, names: Sequence[str]) -> list[Reference]:
    return [(kind, name) for name in names]


def _names(items: Sequence[Mapping[str, Any]]) -> list[str]:
    return [item["name"] for item in items]


def there(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> set[Reference]:
    """What AWX's lists hold, by collection and name; a node's name begins with its workflow's."""
    known = {(kind, item["name"]) for kind, items in found.items() if kind != NODES for item in items}
    for node in found.get(NODES, ()):
        known.add((NODES, f"{node['summary_fields']['workflow_job_template']['name']}/{node['identifier']}"))
    return known
