# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What speaks against an upgrade, from facts alone."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.facts import Facts
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.findings import (
    BLOCKER,
    NOTE,
    WARNING,
    assess,
)
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.inside import (
    Inside,
    Node,
    minor_version,
    old_apis,
)

from tests.platform_runs import ROOT

CLUSTER = {"name": "pipeops-dev", "version": "1.36", "status": "ACTIVE"}
OFFERED = {
    "clusterVersion": "1.37",
    "versionStatus": "STANDARD_SUPPORT",
    "endOfStandardSupportDate": "2027-12-01T00:00:00Z",
    "endOfExtendedSupportDate": "2028-12-01T00:00:00Z",
}
DEPRECATED = {
    "name": "Deprecated APIs",
    "insightStatus": {"status": "ERROR", "reason": "in use"},
    "recommendation": "Update manifests.",
    "categorySpecificSummary": {
        "deprecationDetails": [
            {"usage": "/apis/a/v1beta1", "replacedWith": "/apis/a/v1", "clientStats": [{"userAgent": "old/1"}]}
        ]
    },
}


def facts(**changes: Any) -> Facts:
    given = {"cluster": CLUSTER, "target": "1.37", "offered": OFFERED, "inside": Inside((Node("a", "1.36", "pool/x"),))}
    return Facts(**{**given, **changes})


def found(about: Facts, *accepted: str, **wanted: str) -> dict[str, str]:
    return {one.id: one.level for one in assess(about, wanted, accepted)}


def test_one_that_can_be_upgraded_has_notes_only() -> None:
    assert found(facts()) == {"support": NOTE, "nodes": NOTE}


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"target": "1.38"}, "version"),
        ({"target": "1.35"}, "version"),
        ({"offered": {}}, "version"),
        ({"cluster": {**CLUSTER, "status": "FAILED"}}, "cluster"),
        ({"cluster": {**CLUSTER, "health": {"issues": [{"code": "KmsKeyDisabled"}]}}}, "health/KmsKeyDisabled"),
        ({"insights": [DEPRECATED]}, "insight/Deprecated APIs"),
        ({"addons": {"coredns": ("v1", ["v2"])}}, "addon/coredns"),
        ({"groups": {"a": "1.35"}}, "node groups/a"),
        ({"free_addresses": {"subnet-1": 4}}, "subnet/subnet-1"),
        ({"inside": Inside((Node("old", "1.33"),))}, "kubelets/old"),
        ({"inside": Inside(blocked=["web/front"])}, "budget/web/front"),
        ({"inside": Inside(old_apis={"a/v1beta1 things": "1.37"})}, "api/a/v1beta1 things"),
    ],
)
def test_what_stands_in_the_way(changes: dict[str, Any], finding: str) -> None:
    about = facts(**changes)
    assert found(about)[finding] == BLOCKER
    firm = finding.split("/", maxsplit=1)[0] in ("version", "cluster", "node groups", "kubelets")
    assert found(about, finding)[finding] == (BLOCKER if firm else WARNING)
    assert all(one.mend for one in assess(about, {}) if one.level == BLOCKER)


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"inside": None}, "inside"),
        ({"inside": Inside(untold={"removed APIs in use": "403"})}, "untold/removed APIs in use"),
        ({"inside": Inside((Node("own", "1.36"),))}, "node/own"),
        ({"inside": Inside(old_apis={"a/v1 things": "1.40"})}, "api/a/v1 things"),
        ({"offered": {**OFFERED, "versionStatus": "EXTENDED_SUPPORT"}}, "support"),
    ],
)
def test_what_somebody_should_know(changes: dict[str, Any], finding: str) -> None:
    assert found(facts(**changes))[finding] == WARNING


def test_an_add_on_that_will_fit_is_a_note() -> None:
    about = facts(addons={"coredns": ("v1", ["v2"])})
    assert found(about, coredns="v2")["addon/coredns"] == NOTE
    assert found(about, coredns="v1")["addon/coredns"] == BLOCKER


def test_an_insight_tells_who_uses_what() -> None:
    (text,) = [one.text for one in assess(facts(insights=[DEPRECATED]), {}) if one.id.startswith("insight")]
    assert "/apis/a/v1beta1 is used by old/1, instead of which there is /apis/a/v1." in text


def test_one_that_is_there_already_needs_no_equal_node_groups() -> None:
    about = facts(cluster={**CLUSTER, "version": "1.37"}, groups={"a": "1.36"})
    assert BLOCKER not in found(about).values()


def test_metrics_tell_of_old_apis() -> None:
    sample = 'apiserver_requested_deprecated_apis{group="%s",removed_release="%s",resource="r",version="v1"} %s\n'
    text = "# HELP\n" + sample % ("a", "1.37", "1") + sample % ("b", "1.37", "0") + sample % ("", "", "1")
    assert old_apis(text) == {"a/v1 r": "1.37"}


def test_versions_of_kubelets_are_shortened() -> None:
    assert minor_version("v1.36.3-eks-1a2b3c4") == "1.36"


def test_the_playbook_has_the_defaults_of_the_role() -> None:
    role = yaml.safe_load((ROOT / "roles" / "eks" / "defaults" / "main.yml").read_text("utf-8"))
    playbook = yaml.safe_load((ROOT / "playbooks" / "vars" / "upgrade.yml").read_text("utf-8"))
    assert f"default('{role['eks_version']}')" in playbook["upgrade_target"]
    assert f"default('{role['eks_compute']}')" in playbook["upgrade_compute"]
    assert f"default({role['eks_cluster_addons']})" in playbook["upgrade_addons"]
