# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.drift.findings import claimed, findings_of


def action(verb: str, name: str, *attributes: str, **more: Any) -> dict[str, Any]:
    given = {"verb": verb, "kind": "thing", "name": name, "label": "Thing", "id": None, "interrupts": ""}
    differences = [{"attribute": attribute, "before": "now", "after": "wanted"} for attribute in attributes]
    return {**given, "differences": differences, **more}


def layer(*actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"actions": list(actions), "earlier": [], "unmanaged": [], "resources": [], **more}


@pytest.mark.parametrize(
    ("verb", "category"),
    [("create", "missing"), ("update", "changed"), ("replace", "changed"), ("delete", "unmanaged")],
)
def test_each_action_is_a_finding(verb: str, category: str) -> None:
    (finding,) = findings_of([layer(action(verb, "a", "size", id="thing-1", interrupts="its users"))])
    assert (finding.category, finding.kind, finding.name, finding.label) == (category, "thing", "a", "Thing")
    assert (finding.heals, finding.interrupts) == (True, "its users")


def test_a_difference_says_what_is_wanted_and_what_is_found() -> None:
    (finding,) = findings_of([layer(action("update", "a", "size"))])
    assert finding.differences == [{"attribute": "size", "wanted": "wanted", "found": "now"}]


def test_what_several_actions_mend_is_one_finding() -> None:
    earlier = layer(action("update", "a", "colour", interrupts="x"), earlier=[action("update", "a", "size")])
    (finding,) = findings_of([earlier])
    assert [item["attribute"] for item in finding.differences] == ["size", "colour"]
    assert finding.interrupts == "x"


def test_what_is_missing_has_no_differences_whatever_follows() -> None:
    (finding,) = findings_of([layer(action("create", "a", "size"), action("update", "a", "tags"))])
    assert (finding.category, finding.differences) == ("missing", [])


def test_what_no_inventory_names_is_left_alone() -> None:
    left = layer(unmanaged=[{"kind": "thing", "name": "b", "id": "thing-2"}])
    (finding,) = findings_of([left])
    assert (finding.category, finding.id, finding.heals) == ("unmanaged", "thing-2", False)


def test_a_clean_layer_and_a_skipped_one_have_none() -> None:
    assert findings_of([layer(), {}]) == []


def test_layers_claim_what_they_know() -> None:
    known = layer(
        action("delete", "x", id="thing-3"),
        resources=[{"kind": "thing", "name": "a", "id": "thing-1", "arn": "arn:aws:x:::thing/1"}],
        unmanaged=[{"kind": "thing", "name": "b", "id": "thing-2"}],
    )
    assert claimed([known, {}]) == {"thing-1", "arn:aws:x:::thing/1", "thing-2", "thing-3"}
