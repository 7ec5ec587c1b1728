# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.typed import usable

REPLICA = {"name": {"type": "str", "required": True, "description": "Its O(name)."}, "size": {"type": "int"}}
SPECS: dict[str, dict[str, Any]] = {
    "text": {"type": "str"},
    "word": {"type": "str", "choices": ["zonal_single", "none"]},
    "whole": {"type": "int"},
    "level": {"type": "int", "choices": [0, 5, 10]},
    "number": {"type": "float"},
    "switch": {"type": "bool"},
    "texts": {"type": "list", "elements": "str"},
    "words": {"type": "list", "elements": "str", "choices": ["api", "audit"]},
    "keys": {"type": "dict"},
    "parts": {"type": "list", "elements": "dict", "options": REPLICA},
    "usual": {"type": "str", "default": "x"},
    "secret": {"type": "str", "no_log": True},
}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("text: a", "a"),
        ("text: 08:00-08:30", "08:00-08:30"),
        ("word: none", "none"),
        ("whole: 10", 10),
        ("whole: '10'", 10),
        ("level: 5", 5),
        ("level: '5'", 5),
        ("number: 2.5", 2.5),
        ("number: 500", 500.0),
        ("switch: yes", True),
        ("switch: 'false'", False),
        ("texts: []", []),
        ("texts: [a, b]", ["a", "b"]),
        ("words: [audit]", ["audit"]),
        ("keys: {a: 1}", {"a": 1}),
        ("parts: [{name: a}]", [{"name": "a", "size": None}]),
        ("parts: [{name: a, size: 3}]", [{"name": "a", "size": 3}]),
    ],
)
def test_what_yaml_reads_is_taken_in_its_type(line: str, value: Any) -> None:
    ((name, given),) = yaml.safe_load(line).items()
    assert usable(name, given, SPECS[name]) == (value, [])


@pytest.mark.parametrize(
    ("line", "variable", "reason", "mend"),
    [
        ("text: 1.30", "text", "drops zeros at its end", 'text: "1.3", or "1.30"'),
        ("text: 012345670123", "text", "octal", "with all its zeros"),
        ("text: no", "text", "boolean", 'text: "no"'),
        ("text: 10:30", "text", "as a number", "quotes"),
        ("text: [a]", "text", "one text", "Write text:"),
        ("text:", "text", "no value", "Give it one."),
        ("usual:", "usual", "no value", "to get the default"),
        ("word: no", "word", "boolean", "Choose one of zonal_single, none."),
        ("word: zonal", "word", "one of zonal_single, none", "Did you mean zonal_single?"),
        ("word: x", "word", "one of zonal_single, none", "Choose one of zonal_single, none."),
        ("whole: 5432/tcp", "whole", "whole number", "without unit"),
        ("whole: '010'", "whole", "whole number", "leading zeros"),
        ("whole: 7.5", "whole", "whole number", "digits"),
        ("whole: yes", "whole", "whole number", "digits"),
        ("level: 6", "level", "one of 0, 5, 10", "Choose one of 0, 5, 10."),
        ("number: many", "number", "must be a number", "digits"),
        ("number: on", "number", "must be a number", "digits"),
        ("switch: sometimes", "switch", "true or false", "switch: true"),
        ("switch: 2", "switch", "true or false", "switch: true"),
        ("texts: a,b", "texts", "must be a list", "Write texts: [a, b];"),
        ("texts: '[a, b]'", "texts", "must be a list", "Write texts: [a, b];"),
        ("texts: 3", "texts", "must be a list", "Write texts: [3];"),
        ("texts: [a, 1.10]", "texts[1]", "drops zeros", "quotes"),
        ("words: [api, audits]", "words[1]", "one of api, audit", "Did you mean audit?"),
        ("keys: [a]", "keys", "must be a dictionary", "keys: {}"),
        ("parts: [{nam: a, name: b}]", "parts[0].nam", "takes no nam", "Did you mean name?"),
        ("parts: [{zzz: a, name: b}]", "parts[0].zzz", "takes no zzz", "It takes name, size."),
        ("parts: [{size: 3}]", "parts[0].name", "cannot do without", "Add name: Its name."),
        ("parts: [{name: 5}]", "parts[0].name", "as a number", "quotes"),
        ("parts: [a]", "parts[0]", "must be a dictionary", "own line"),
    ],
)
def test_what_yaml_reads_otherwise_is_refused(line: str, variable: str, reason: str, mend: str) -> None:
    ((name, given),) = yaml.safe_load(line).items()
    value, (problem,) = usable(name, given, SPECS[name])
    assert value is None
    assert problem.variable == variable
    assert reason in problem.reason
    assert mend in problem.mend


def test_what_only_ansible_knows_is_refused_in_its_words() -> None:
    spec = {"type": "dict", "options": {"a": {"type": "str"}, "b": {"type": "str"}}, "required_together": [["a", "b"]]}
    _value, (problem,) = usable("both", {"a": "x"}, {**spec, "description": "Both."})
    assert "required together" in problem.reason
    assert "Both." in problem.mend


def test_a_secret_is_not_shown() -> None:
    _value, (problem,) = usable("secret", 123456, SPECS["secret"])
    assert "123456" not in problem.value
