# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of variables, and what YAML made of something that was meant otherwise.

Ansible turns what it finds into the wanted type where it can, so a version 1.30 that YAML has read as the number
1.3 would pass as "1.3". Here the type that YAML gave is looked at first, and Ansible's own validation comes last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import BOOLEANS

from .problems import Problem, nearest, shown

Spec = Mapping[str, Any]


def usable(name: str, value: Any, spec: Spec) -> tuple[Any, list[Problem]]:
    """Return a variable's value in its type, and why it cannot be used if it cannot.

    Args:
        spec: its entry in a role's argument specs.
    """
    problems = list(_check(name, value, spec))
    if problems:
        return None, problems
    outcome = ArgumentSpecValidator({name: dict(spec)}).validate({name: value})
    mend = f"Write what the role's argument specs say: {_sentence(spec)}"
    problems = [Problem(name, _show(value, spec), text.rstrip("."), mend) for text in outcome.error_messages]
    return outcome.validated_parameters.get(name), problems


def _check(path: str, value: Any, spec: Spec) -> Iterable[Problem]:
    kind = spec.get("type", "str")
    if value is None:
        mend = "Give it one, or remove the line to get the default." if "default" in spec else "Give it one."
        yield Problem(path, "null", "it has no value", mend)
        return
    found = CHECKS[kind](path, value) if kind in CHECKS else None
    choices = spec.get("choices")
    if found:
        reason, mend = found
        yield Problem(path, _show(value, spec), reason, f"Choose {_listed(choices)}." if choices else mend)
        return
    if choices and kind != "list" and str(value) not in map(str, choices):
        yield _no_choice(path, value, choices)
    if kind == "list":
        yield from _check_elements(path, value, spec)
    if kind == "dict" and spec.get("options"):
        yield from _check_parts(path, value, spec["options"])


def _check_elements(path: str, values: list[Any], spec: Spec) -> Iterable[Problem]:
    keys = ("choices", "options", "no_log")
    element = {"type": spec.get("elements", "raw"), **{key: spec[key] for key in keys if key in spec}}
    for index, value in enumerate(values):
        yield from _check(f"{path}[{index}]", value, element)


def _check_parts(path: str, value: Mapping[str, Any], options: Mapping[str, Spec]) -> Iterable[Problem]:
    for key, item in value.items():
        if key in options:
            yield from _check(f"{path}.{key}", item, options[key])
            continue
        mend = nearest(str(key), options, f"It takes {', '.join(options)}.")
        yield Problem(f"{path}.{key}", shown(item), f"{path} takes no {key}", mend)
    for key, spec in options.items():
        if spec.get("required") and key not in value:
            yield Problem(f"{path}.{key}", "", f"{path} cannot do without", f"Add {key}: {_sentence(spec)}")


def _no_choice(path: str, value: Any, choices: list[Any]) -> Problem:
    mend = nearest(str(value), [str(choice) for choice in choices], f"Choose {_listed(choices)}.")
    return Problem(path, shown(value), f"it must be {_listed(choices)}", mend)


def _listed(choices: list[Any]) -> str:
    return f"one of {', '.join(map(shown, choices))}"


def _text(path: str, value: Any) -> tuple[str, str] | None:
    if isinstance(value, bool):
        return "YAML reads this word as a boolean", f'Put it in quotes: {path}: "{"yes" if value else "no"}".'
    if isinstance(value, float):
        mend = f'Put it in quotes: {path}: "{value}", or "{value}0" if that is what was written.'
        return "YAML reads this as a number and drops zeros at its end", mend
    if isinstance(value, int):
        mend = f'Put it in quotes, with all its zeros: {path}: "{value}".'
        return "YAML reads this as a number, and zeros at its start are lost or make it octal", mend
    return None if isinstance(value, str) else ("it must be one text", f"Write {path}: followed by the text.")


def _whole(path: str, value: Any) -> tuple[str, str] | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return None
    # Variables given with -e name=value are always text, so digits are taken.
    if isinstance(value, str) and re.fullmatch(r"0|-?[1-9][0-9]*", value.strip()):
        return None
    return "it must be a whole number", "Write digits alone, without unit or leading zeros."


def _number(path: str, value: Any) -> tuple[str, str] | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value.strip()):
        return None
    return "it must be a number", "Write digits alone, without a unit."


def _switch(path: str, value: Any) -> tuple[str, str] | None:
    known = value.lower() in BOOLEANS if isinstance(value, str) else isinstance(value, bool)
    return None if known else ("it must be true or false", f"Write {path}: true, or {path}: false.")


def _list(path: str, value: Any) -> tuple[str, str] | None:
    if isinstance(value, (list, tuple)):
        return None
    items = re.split(r"[,\s]+", value.strip("[] ")) if isinstance(value, str) else [value]
    mend = f"Write {path}: {shown(items)}; after -e as JSON: -e '{{\"{path}\": [...]}}'."
    return "it must be a list", mend


def _dict(path: str, value: Any) -> tuple[str, str] | None:
    if isinstance(value, Mapping):
        return None
    return "it must be a dictionary", f"Write the keys under {path}: each on its own line, or {path}: {{}} for none."


CHECKS = {"str": _text, "int": _whole, "float": _number, "bool": _switch, "list": _list, "dict": _dict}


def _show(value: Any, spec: Spec) -> str:
    return shown(value, secret=bool(spec.get("no_log")))


def _sentence(spec: Spec) -> str:
    """Return what the specification says of the variable, without the markup of Ansible's documentation."""
    text = spec.get("description", "a value.")
    first = text if isinstance(text, str) else text[0]
    return re.sub(r"\b[A-Z]\(([^)#]*)(?:#[a-z]+)?\)", r"\1", first)
