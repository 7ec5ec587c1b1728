# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking out of a cluster what its controllers would otherwise leave behind in AWS, or make again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..engine.errors import EngineError
from ..engine.lease import LeaseLost
from ..engine.waiting import Progress, wait_until
from ..kube.api import Api, object_path
from ..kube.manifests import Name
from ..kube.objects import Outcome

#: In the order in which they go: what makes things again, what has a load balancer, what has nodes.
MAKERS = (("argoproj.io/v1alpha1", "ApplicationSet"), ("argoproj.io/v1alpha1", "Application"))
BALANCED = (("networking.k8s.io/v1", "Ingress"), ("v1", "Service"))
NODES = (("karpenter.sh/v1", "NodePool"),)
#: Seconds that a load balancer usually takes to go.
TYPICAL = 90


def drain(api: Api, *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Delete them, and wait until what has a load balancer is gone; or foresee it in check mode.

    A cluster that does not answer, or does not know the caller any more, is left as it is: what it made is found by
    its tags.
    """
    outcome = Outcome()
    try:
        for group in (MAKERS, BALANCED, NODES):
            for name, path, item in list(_found(api, group)):
                # An earlier run has deleted it, and its controller is at it.
                if item["metadata"].get("deletionTimestamp"):
                    continue
                if not check_mode:
                    api.delete(path)
                outcome.add("delete", name, item, None)
            if group is BALANCED and not check_mode:
                _await_gone(api, progress)
    except LeaseLost:
        raise
    except EngineError as error:
        return {**outcome.as_dict(), "reached": False, "note": str(error)}
    return {**outcome.as_dict(), "reached": True, "note": ""}


def _found(api: Api, kinds: tuple[tuple[str, str], ...]) -> Iterator[tuple[Name, str, dict[str, Any]]]:
    for api_version, kind in kinds:
        served = api.kind(api_version, kind)
        if served is None:
            continue
        listed = api.get(object_path(served, api_version, "")) or {}
        for item in listed.get("items", []):
            if kind == "Service" and not _is_balanced(item):
                continue
            name = Name.of({**item, "apiVersion": api_version, "kind": kind})
            yield name, object_path(served, api_version, name.namespace, name.name), item


def _is_balanced(service: Mapping[str, Any]) -> bool:
    return bool(service["spec"].get("type") == "LoadBalancer")


def _await_gone(api: Api, progress: Progress) -> None:
    def check() -> tuple[bool | None, str]:
        left = [str(name) for name, _path, _item in _found(api, BALANCED)]
        return (None, f"{len(left)} left, {left[0]} among them") if left else (True, "")

    wait_until(check, f"load balancers of {api.where}", TYPICAL, api.patience, progress)
