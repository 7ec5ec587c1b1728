# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of the API: making, changing, finding and showing them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from tests.awx import rules
from tests.awx.kinds import KINDS, NEXT, PROMPTS, UNIFIED, Field, Json, Kind
from tests.awx.rules import Refused

NAMES = {bool: "boolean", int: "integer", str: "string", dict: "object", list: "list"}
#: AWX looks at no more than this, and so not at imports by their full names.
PLAYBOOK = re.compile(r"^\s*-?\s*(hosts|include|import_playbook):", re.MULTILINE)
#: Credential types that every AWX has; the fields of the others do not matter here.
MANAGED: dict[str, list[Json]] = {
    "Machine": [{"id": "username", "label": "Username"}],
    "Amazon Web Services": [
        {"id": "username", "label": "Access Key", "type": "string"},
        {"id": "password", "label": "Secret Key", "type": "string", "secret": True},
        {"id": "security_token", "label": "STS Token", "type": "string", "secret": True},
    ],
}


class Store:
    """Everything that an AWX knows. `repositories` are the checkouts behind the URLs of projects."""

    def __init__(self, repositories: dict[str, Path]) -> None:
        self.objects: dict[int, Json] = {}
        self.kind_of: dict[int, Kind] = {}
        self.related: dict[tuple[int, str], list[int]] = {}
        self.surveys: dict[int, Json] = {}
        self.playbooks: dict[int, list[str]] = {}
        self.repositories = repositories
        for name, fields in MANAGED.items():
            item = {"name": name, "description": "", "kind": "cloud", "inputs": {"fields": fields}, "injectors": {}}
            self._put(KINDS["credential_types"], {**item, "managed": True})

    def _put(self, kind: Kind, values: Json) -> Json:
        number = len(self.kind_of) + 1
        self.objects[number] = {"id": number, **values}
        self.kind_of[number] = kind
        return self.objects[number]

    def of(self, *names: str) -> list[Json]:
        return [item for number, item in self.objects.items() if self.kind_of[number].name in names]

    def get(self, name: str, number: int) -> Json:
        if number not in self.objects or self.kind_of[number].name != name:
            raise Refused({"detail": "Not found."}, 404)
        return self.objects[number]

    # Making and changing.

    def create(self, name: str, data: Json) -> Json:
        kind = KINDS[name]
        if not kind.creatable:
            raise Refused({"detail": 'Method "POST" not allowed.'}, 405)
        values = {key: deepcopy(one.default) for key, one in kind.fields.items()}
        values |= self._valid(kind, data, partial=False)
        self._rules(kind, values, {})
        self._unique(kind, values, None)
        item = self._put(kind, values)
        if name == "projects" and item["scm_type"] == "git":
            self.update_project(item)
        return item

    def change(self, name: str, number: int, data: Json) -> Json:
        kind, item = KINDS[name], self.get(name, number)
        if item.get("managed"):
            raise Refused({"detail": "Modifications not allowed for managed credential types"}, 403)
        values = {**item, **self._valid(kind, data, partial=True)}
        self._rules(kind, values, item)
        self._unique(kind, values, number)
        source = any(values.get(key) != item.get(key) for key in ("scm_url", "scm_branch"))
        item.update(values)
        if name == "projects" and source:
            self.update_project(item)
        return item

    def remove(self, name: str, number: int) -> None:
        self.get(name, number)
        del self.objects[number]
        kept = {key: ids for key, ids in self.related.items() if key[0] != number}
        self.related = {key: [one for one in ids if one != number] for key, ids in kept.items()}

    def _valid(self, kind: Kind, data: Json, *, partial: bool) -> Json:
        if not isinstance(data, dict):
            raise Refused({"detail": "JSON parse error - not an object"})
        errors: dict[str, list[str]] = {}
        values: Json = {}
        for name, one in kind.fields.items():
            if one.read_only:
                continue
            if name in data:
                problem = self._problem(one, data[name])
                values[name] = data[name]
            else:
                problem = "This field is required." if one.required and not partial else ""
            if problem:
                errors[name] = [problem]
        if errors:
            raise Refused(errors)
        return values

    def _problem(self, one: Field, value: Any) -> str:
        if value is None:
            return "" if one.nullable else "This field may not be null."
        if not isinstance(value, one.type) or (one.type is int and isinstance(value, bool)):
            return f"A valid {NAMES[one.type]} is required."
        if one.required and value == "":
            return "This field may not be blank."
        if one.choices and value not in one.choices:
            return f'"{value}" is not a valid choice.'
        if one.fk and (value not in self.objects or self.kind_of[value].name not in one.fk):
            return f'Invalid pk "{value}" - object does not exist.'
        return ""

    def _unique(self, kind: Kind, values: Json, own: int | None) -> None:
        same = [
            item
            for item in self.of(kind.name)
            if kind.unique and item["id"] != own and all(item[key] == values[key] for key in kind.unique)
        ]
        if same:
            label = " and ".join(key.replace("_", " ").capitalize() for key in kind.unique)
            what = kind.type.replace("_", " ").capitalize()
            raise Refused({"__all__": [f"{what} with this {label} already exists."]})

    def _rules(self, kind: Kind, values: Json, before: Json) -> None:
        match kind.name:
            case "credential_types":
                rules.credential_type(values)
            case "credentials":
                if values["organization"] is None:
                    raise Refused({"detail": "Missing 'user', 'team', or 'organization'."})
                values["inputs"] = rules.kept(values["inputs"], before.get("inputs", {}))
                rules.credential(values["inputs"], self.objects[values["credential_type"]])
            case "notification_templates":
                old = before.get("notification_configuration", {})
                values["notification_configuration"] = rules.kept(values["notification_configuration"], old)
                rules.notification(values["notification_type"], values["notification_configuration"])
            case "inventory_sources":
                self._inventory_source(values)
            case "job_templates":
                self._job_template(values)
            case "workflow_job_template_nodes" | "schedules":
                self._prompts(kind, values)
                if kind.name == "schedules":
                    rules.rule(values["rrule"])

    def _inventory_source(self, values: Json) -> None:
        if values["source"] == "scm" and values["source_project"] is None:
            raise Refused({"source_project": ["Project required for scm type sources."]})
        if values["source"] != "scm" and (values["source_path"] or values["source_project"]):
            raise Refused({"detail": "Cannot set source_path or source_project if not SCM type."})

    def _job_template(self, values: Json) -> None:
        if values["project"] is None:
            raise Refused({"project": ["This field is required."]})
        project = self.objects[values["project"]]
        values["organization"] = project["organization"]
        if not values["playbook"]:
            raise Refused({"playbook": ["Must select playbook for project."]})
        if not project["allow_override"] and values["playbook"] not in self.playbooks.get(project["id"], []):
            raise Refused({"playbook": ["Playbook not found for project."]})
        if values["inventory"] is None and not values["ask_inventory_on_launch"]:
            raise Refused({"inventory": ["Must either set a default value or ask to prompt on launch."]})
        if values["extra_vars"]:
            json.loads(values["extra_vars"])

    def _prompts(self, kind: Kind, values: Json) -> None:
        if values["unified_job_template"] is None:
            return
        template = self.objects[values["unified_job_template"]]
        for name, asks in PROMPTS.items():
            if values[name] is not None and values[name] != template.get(name) and not template.get(asks):
                raise Refused({name: ["Field is not configured to prompt on launch."]})
        spec = self.surveys.get(template["id"], {})
        rules.answers(template, spec, values["extra_data"], required=kind.name == "schedules")
        if self.kind_of[template["id"]].name == "job_templates" and not (template["inventory"] or values["inventory"]):
            raise Refused({"resources_needed_to_start": ["Job Template inventory is missing or undefined."]})

    # What belongs together.

    def relate(self, name: str, number: int, relation: str, data: Json) -> None:
        self.get(name, number)
        ids = self.related.setdefault((number, relation), [])
        other = data.get("id")
        if other not in self.objects or self.kind_of[other].name != KINDS[name].relations[relation]:
            raise Refused({"detail": f'Invalid pk "{other}" - object does not exist.'})
        if data.get("disassociate"):
            ids.remove(other)
        elif other not in ids:
            self._relation_rules(name, number, relation, other)
            ids.append(other)

    def _relation_rules(self, name: str, number: int, relation: str, other: int) -> None:
        if relation == "credentials":
            self._credential_rules(name, number, other)
        if relation.endswith("_nodes"):
            if self.objects[number]["workflow_job_template"] != self.objects[other]["workflow_job_template"]:
                raise Refused({"error": "Relationship not allowed."})
            if number in self._following(other):
                raise Refused({"error": "Cycle detected."})

    def _credential_rules(self, name: str, number: int, other: int) -> None:
        kind = self.objects[other]["credential_type"]
        if kind in [self.objects[one]["credential_type"] for one in self.related[number, "credentials"]]:
            raise Refused({"error": f"Cannot assign multiple {self.objects[kind]['name']} credentials."})
        if name == "job_templates":
            return
        template = self.objects.get(self.objects[number]["unified_job_template"], {})
        if not template.get("ask_credential_on_launch"):
            raise Refused({"msg": "Related template is not configured to accept credentials on launch."})
        if other in self.related.get((template["id"], "credentials"), []):
            raise Refused({"msg": f"Related template already uses {self.objects[kind]['name']} credential."})

    def _following(self, number: int) -> set[int]:
        found, new = set(), {number}
        while new:
            found |= new
            new = {other for one in new for relation in NEXT for other in self.related.get((one, relation), [])} - found
        return found

    def approve(self, number: int, data: Json) -> Json:
        node = self.get("workflow_job_template_nodes", number)
        if node["unified_job_template"] is not None:
            raise Refused({"detail": "This node has a template already."})
        kind = KINDS["workflow_approval_templates"]
        item = self._put(kind, {"description": "", "timeout": 0, **self._valid(kind, data, partial=False)})
        node["unified_job_template"] = item["id"]
        return item

    # Projects.

    def update_project(self, project: Json) -> Json:
        job = {"name": project["name"], "status": "pending", "finished": None, "scm_revision": "", "failed": False}
        job |= {"event_processing_finished": False, "project": project["id"]}
        update = self._put(KINDS["project_updates"], job)
        project["current_update"] = update["id"]
        return update

    def advance(self, update: Json) -> None:
        """A look at an update is when it goes on: pending, running, and done."""
        if update["status"] == "pending":
            update["status"] = "running"
        elif update["status"] == "running":
            project = self.objects[update["project"]]
            checkout = self.repositories.get(project["scm_url"])
            update |= {"finished": "2026-01-05T00:00:00Z", "event_processing_finished": True}
            update["failed"] = checkout is None
            update["status"] = project["status"] = "failed" if checkout is None else "successful"
            project.pop("current_update", None)
            if checkout is not None:
                self.playbooks[project["id"]] = found = sorted(playbooks(checkout))
                update["scm_revision"] = hashlib.sha1("".join(found).encode(), usedforsecurity=False).hexdigest()
                project["scm_revision"] = update["scm_revision"]

    def unified(self) -> list[Json]:
        return self.of(*(name for name in UNIFIED if name != "workflow_approval_templates"))


def playbooks(checkout: Path) -> Iterator[str]:
    """What AWX takes for playbooks of a project."""
    for pattern in ("*.yml", "playbooks/*.yml"):
        for path in checkout.glob(pattern):
            if PLAYBOOK.search(path.read_text("utf-8")):
                yield str(path.relative_to(checkout))
