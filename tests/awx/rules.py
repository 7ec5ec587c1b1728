# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX refuses beside fields of a wrong type: each rule raises `Refused` with AWX's body."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
import jinja2.sandbox
from dateutil import rrule as dates

from tests.awx.kinds import Json

ENCRYPTED = "$encrypted$"
SURVEY_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("text", "textarea", "password", "multiplechoice", "multiselect"), (str,)),
    "integer": (int,),
    "float": (float,),
}
#: Of each kind of notification, its parameters: type, and whether AWX fills in a default.
NOTIFICATIONS: dict[str, dict[str, tuple[type, bool]]] = {
    "email": {
        **dict.fromkeys(("host", "username", "password", "sender"), (str, False)),
        "port": (int, False),
        "use_tls": (bool, False),
        "use_ssl": (bool, False),
        "recipients": (list, False),
        "timeout": (int, True),
    },
    "slack": {"token": (str, False), "channels": (list, False)},
}
SECRET_PARAMETERS = {"email": {"password"}, "slack": {"token"}}
VARIABLE = re.compile(r"^[a-zA-Z_][a-zA-Z0-9_]*$")


class Refused(Exception):
    """A request that AWX answers with an error."""

    def __init__(self, body: Any, status: int = 400) -> None:
        super().__init__(str(body))
        self.body, self.status = body, status


def survey(spec: Any) -> None:
    """A survey as it may be posted."""
    for name, wanted in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(spec, dict) or name not in spec:
            raise Refused({"error": f"Field '{name}' is missing from survey spec."})
        if not isinstance(spec[name], wanted):
            raise Refused({"error": f"Expected another type for field '{name}'."})
    if not spec["spec"]:
        raise Refused({"error": "'spec' doesn't contain any items."})
    seen: set[str] = set()
    for index, question in enumerate(spec["spec"]):
        _question(index, question)
        if question["variable"] in seen:
            raise Refused({"error": f"'variable' '{question['variable']}' duplicated in survey question {index}."})
        seen.add(question["variable"])


def _question(index: int, question: Any) -> None:
    for name in ("type", "question_name", "variable", "required"):
        if not isinstance(question, dict) or name not in question:
            raise Refused({"error": f"'{name}' missing from survey question {index}"})
        if not isinstance(question[name], bool if name == "required" else str):
            raise Refused({"error": f"'{name}' in survey question {index} expected to be of another type."})
    kind, default = question["type"], question.get("default", "")
    if kind not in SURVEY_TYPES:
        raise Refused({"error": f"'{kind}' in survey question {index} is not one of the allowed question types."})
    if default != "" and (not isinstance(default, SURVEY_TYPES[kind]) or isinstance(default, bool)):
        raise Refused({"error": f"Default value {default} in survey question {index} expected to be {kind}."})
    for name in ("min", "max"):
        if question.get(name) is not None and not isinstance(question[name], int):
            raise Refused({"error": f"The {name} limit in survey question {index} expected to be integer."})
    if kind in ("multiplechoice", "multiselect"):
        if "choices" not in question:
            raise Refused({"error": f"Survey question {index} of type {kind} must specify choices."})
        if default != "" and default not in question["choices"]:
            raise Refused({"error": "Default choice must be answered from the choices listed."})


def answers(template: Json, spec: Json, given: Mapping[str, Any], *, required: bool) -> None:
    """Variables that a node or a schedule hands to a template."""
    questions = {item["variable"]: item for item in spec.get("spec", [])} if template.get("survey_enabled") else {}
    unknown = [] if template.get("ask_variables_on_launch") else sorted(set(given) - set(questions))
    if unknown:
        raise Refused(
            {
                "extra_data": [
                    f"Variables {', '.join(unknown)} are not allowed on launch. Check the Prompt on Launch setting "
                    "on the Job Template to include Extra Variables."
                ]
            }
        )
    errors = [error for name, item in questions.items() for error in _answer(item, given.get(name), required)]
    if errors:
        raise Refused({"variables_needed_to_start": errors})


def _answer(question: Json, value: Any, required: bool) -> list[str]:
    name, kind = question["variable"], question["type"]
    if value is None:
        missing = required and question["required"] and question.get("default", "") == ""
        return [f"'{name}' value missing"] if missing else []
    if not isinstance(value, SURVEY_TYPES[kind]) or isinstance(value, bool):
        return [f"Value {value!r} for '{name}' expected to be of type {kind}."]
    if kind == "multiplechoice" and value not in question["choices"]:
        return [f"Value {value} for '{name}' expected to be one of {question['choices']}."]
    size = value if kind in ("integer", "float") else len(value)
    if size < (question.get("min") or 0) or size > (question.get("max") or size):
        return [f"'{name}' value {value} is out of its limits."]
    return []


def rule(value: str) -> None:
    """The rule of a schedule."""
    starts = re.findall(r"DTSTART(?:;[^:]+)?:[0-9]+T[0-9]+Z?", value)
    rules = re.findall(r"RULE:[^\s]*", value)
    checks = {
        "Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ": not starts,
        "DTSTART cannot be a naive datetime.  Require ;TZINFO= or YYYYMMDDTHHMMSSZZ.": bool(
            re.search(r"DTSTART:[0-9]+T[0-9]+(\s|$)", value)
        ),
        "Multiple DTSTART is not supported.": len(starts) > 1,
        "One or more rule required in rrule.": not rules,
        "EXDATE not allowed in rrule.": "exdate" in value.lower(),
        "RDATE not allowed in rrule.": "rdate" in value.lower(),
        "INTERVAL required in rrule": any("interval" not in one.lower() for one in rules),
        "A valid TZID must be provided (e.g., America/New_York)": not all(
            map(_zone, re.findall(r"TZID=([^:]+):", value))
        ),
        "SECONDLY is not supported.": "secondly" in value.lower(),
        "BYDAY with numeric prefix not supported.": bool(re.search(r"BYDAY[:=][0-9]+[a-zA-Z]{2}", value)),
        "RRULE may not contain both COUNT and UNTIL": any("COUNT" in one and "UNTIL" in one for one in rules),
    }
    errors = [message for message, wrong in checks.items() if wrong]
    if not errors:
        try:
            if next(iter(dates.rrulestr(value)), None) is None:
                errors = ["rrule never happens"]
        except (ValueError, TypeError) as error:
            errors = [f"rrule parsing failed validation: {error}"]
    if errors:
        raise Refused({"rrule": errors})


def _zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return False
    return True


def credential_type(item: Json) -> None:
    """Fields of a credential type, and injectors that refer to nothing else."""
    fields = item["inputs"].get("fields", [])
    unknown = set(item["inputs"]) - {"fields", "required"} | set(item["injectors"]) - {"env", "file", "extra_vars"}
    if unknown:
        raise Refused({"inputs": [f"Additional properties are not allowed ({', '.join(unknown)} was unexpected)"]})
    for one in fields:
        if {"id", "label"} - set(one) or one.get("type", "string") not in ("string", "boolean"):
            raise Refused({"inputs": [f"'id' and 'label' are required properties, and a type of AWX's, in {one}"]})
        if not VARIABLE.match(one["id"]) or one["id"] == "tower":
            raise Refused({"inputs": [f"{one['id']} is not allowed"]})
    names = [one["id"] for one in fields]
    if len(names) != len(set(names)) or set(item["inputs"].get("required", [])) - set(names):
        raise Refused({"inputs": ["fields must be unique, and 'required' name some of them"]})
    _injectors(item["injectors"], names)


def _injectors(injectors: Json, names: Sequence[str]) -> None:
    files = injectors.get("file", {})
    if any(name != "template" and not re.match(r"^template\.[a-zA-Z_]\w*$", name) for name in files):
        raise Refused({"injectors": ["Must use template or template.NAME in files"]})
    known: Json = dict.fromkeys(names, "EXAMPLE")
    known["tower"] = {"filename": {name.partition(".")[2]: "EXAMPLE" for name in files if "." in name} or "EXAMPLE"}
    engine = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    for name, template in injectors.get("env", {}).items():
        if not VARIABLE.match(name) or name.startswith("ANSIBLE_") or name in ("PATH", "PYTHONPATH", "VIRTUAL_ENV"):
            raise Refused({"injectors": [f"Environment variable {name} is not allowed to be used in credentials."]})
        _renders(engine, template, known)
    for template in (*files.values(), *injectors.get("extra_vars", {}).values()):
        _renders(engine, template, known)


def _renders(engine: jinja2.Environment, template: Any, known: Json) -> None:
    try:
        engine.from_string(template).render(known)
    except (jinja2.TemplateError, TypeError) as error:
        raise Refused({"injectors": [f"Syntax error rendering template ({error})"]}) from error


def credential(inputs: Json, kind: Json) -> None:
    """Inputs that the credential type has."""
    fields = {one["id"]: one for one in kind["inputs"].get("fields", [])}
    for name, value in inputs.items():
        if name not in fields:
            raise Refused({"inputs": [f"Additional properties are not allowed ('{name}' was unexpected)"]})
        if not isinstance(value, bool if fields[name].get("type") == "boolean" else str):
            raise Refused({"inputs": [f"{value!r} is not of type '{fields[name].get('type', 'string')}'"]})


def notification(kind: str, configuration: Json) -> None:
    """All parameters of a notification template, and no others."""
    parameters = NOTIFICATIONS[kind]
    missing = sorted(name for name, (_type, filled) in parameters.items() if name not in configuration and not filled)
    if missing:
        text = f"Missing required fields for Notification Configuration: {missing}."
        raise Refused({"notification_configuration": [text]})
    for name, value in configuration.items():
        wanted = parameters.get(name, (object, True))[0]
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            raise Refused(
                {"notification_configuration": [f"Configuration field '{name}' incorrect type, expected {wanted}."]}
            )


def shown(values: Json, secrets: set[str]) -> Json:
    """What the API shows of values some of which are secret."""
    return {name: ENCRYPTED if name in secrets and value else value for name, value in values.items()}


def kept(new: Json, old: Json) -> Json:
    """What is stored of new values: AWX takes back what it shows of a secret for the secret that it has."""
    return {name: old.get(name) if value == ENCRYPTED else value for name, value in new.items()}
