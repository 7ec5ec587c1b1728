# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether applications could begin in the standby's cluster: its add-ons are ready, and it is not active already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .checks import Check

#: Without these, no application comes, or none has its secrets.
NEEDED = frozenset({"argo_cd", "external_secrets"})
ACTIVATE = "Run playbooks/dr_activate.yml."
CONVERGE = "Run playbooks/addons.yml for the standby environment."


def addon_checks(more: Mapping[str, Any]) -> Iterator[Check]:
    """Yield the checks. Pure.

    Args:
        more: ``reachable`` and ``reason`` of the standby's API server; ``addons``, each as M(cluster_addons_info) tells
            it; ``role`` and ``leader_role``, the roles of the clusters of the standby and the leader, empty for one
            that nobody knows; ``leader_told``, how applications stand where the database leads.
    """
    if not more["reachable"]:
        mend = "Run this from where the API server is reached. A failover would leave applications for later."
        yield Check("add-ons", "warning", f"nobody knows: {more['reason']}", mend)
        return
    yield _addons(more["addons"])
    yield _standby(more["role"])
    if more["leader_role"] == "standby":
        yield Check("applications", "warning", "none run where the database leads: it is on standby", ACTIVATE)
    elif more["leader_role"] == "active":
        yield Check("applications", "good", f"where the database leads, {more['leader_told']}")


def _addons(addons: list[Mapping[str, Any]]) -> Check:
    broken = {addon["name"]: "; ".join(addon.get("unready") or ()) or addon["status"] for addon in addons
              if not addon["ready"]}  # fmt: skip
    if not broken:
        return Check("add-ons", "good", f"all {len(addons)} of the standby's cluster are ready")
    said = ", ".join(f"{name} ({why})" for name, why in broken.items())
    return Check("add-ons", "bad" if NEEDED & set(broken) else "warning", f"these are not ready: {said}", CONVERGE)


def _standby(role: str) -> Check:
    if role == "standby":
        return Check("role of the cluster", "good", "the standby's cluster is on standby")
    if role == "active":
        said = "the standby's cluster is active: applications run on both sides"
        return Check("role of the cluster", "warning", said, ACTIVATE)
    said = "Argo CD of the standby's cluster does not know its role, so applications could not begin"
    return Check("role of the cluster", "bad", said, CONVERGE)
