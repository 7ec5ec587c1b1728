# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster and AWS's services have made for an environment, and leave behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.errors import PlanRefused
from ..engine.layer import Context, Layer
from ..engine.model import Wanted
from ..resources import leftovers


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return what says whose leftovers are meant.

    Raises:
        PlanRefused: if they are wanted, instead of gone.
    """
    if params["state"] != "absent":
        raise PlanRefused(["Leftovers are only ever removed. Set state: absent."])
    name = params["cluster_name"] or context.identity.prefix
    return [Wanted(*leftovers.ANCHOR, leftovers_of(name, params["vpc_id"], params["db_instances"]))]


def leftovers_of(cluster: str, vpc_id: str, instances: Sequence[str]) -> dict[str, Any]:
    """Return by what the leftovers of a cluster and of DB instances are known."""
    # All end in a slash, so that the groups of pipeops-dev are not those of pipeops-dev2.
    prefixes = [f"/aws/eks/{cluster}/", f"/aws/containerinsights/{cluster}/"]
    prefixes += [f"/aws/rds/instance/{identifier}/" for identifier in instances]
    return {"cluster_name": cluster, "vpc_id": vpc_id, "log_groups": prefixes}


#: Removed from the last to the first: a load balancer before its group, a node before its interface and its disk.
LAYER = Layer(
    "leftovers",
    (
        leftovers.ServiceLogGroup(),
        leftovers.Volume(),
        leftovers.SecurityGroup(),
        leftovers.Interface(),
        leftovers.Instance(),
        leftovers.TargetGroup(),
        leftovers.ClassicLoadBalancer(),
        leftovers.LoadBalancer(),
    ),
    build,
)
