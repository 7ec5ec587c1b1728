#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drift_info
short_description: Tell what of an environment is not as its inventory says
version_added: 1.0.0
description:
  - Takes the results of an environment's layers in a dry run, and tells which resources are changed, missing or
    unmanaged.
  - Unmanaged is what carries the environment's owner tags, and is wanted by no layer. It is found by the Resource
    Groups Tagging API, and roles by their names. Snapshots and backups, parts of other resources, what the cluster made
    for itself, and what is being deleted are left out.
  - Asks CloudTrail's event history who made each change. Runs of this collection are left out by their user agent.
options:
  environment:
    description: The environment.
    type: str
    required: true
  platform:
    description: The first part of every name.
    type: str
    default: pipeops
  layers:
    description: The results of the tasks that checked the environment's layers. Empty ones are left out.
    type: list
    elements: dict
    required: true
  healed:
    description: Whether the layers were brought to their wanted state, instead of only checked.
    type: bool
    default: false
  hibernated:
    description: How the environment sleeps, as a sentence. Then nothing was compared, and that is what is told.
    type: str
    default: ""
  who:
    description: Whether to ask CloudTrail.
    type: bool
    default: true
  days:
    description: How many days back CloudTrail is asked, at most V(90).
    type: float
    default: 7
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.reading
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Check the network
  pipeops.platform.vpc_network:
    region: us-west-2
    environment: prod
    cidr: 10.0.0.0/16
    zones: [us-west-2a, us-west-2b, us-west-2c]
  check_mode: true
  register: network

- name: Tell what has drifted
  pipeops.platform.drift_info:
    region: us-west-2
    environment: prod
    layers: ["{{ network }}"]
  register: drift
"""

RETURN = r"""
drift:
  description: What was found.
  returned: always
  type: dict
  contains:
    found:
      description: How many findings there are.
      type: int
      sample: 1
    counts:
      description: How many of each category.
      type: dict
      sample: {"changed": 1, "missing": 0, "unmanaged": 0}
    findings:
      description: Each resource that is not as it should be.
      type: list
      elements: dict
      contains:
        category:
          description: C(changed), C(missing) or C(unmanaged).
          type: str
          sample: changed
        kind:
          description: The type of the resource; service and type as in its ARN for what no layer knows.
          type: str
          sample: ec2_vpc
        name:
          description: Its name in the layer.
          type: str
          sample: main
        label:
          description: What people call its type.
          type: str
          sample: VPC
        id:
          description: AWS's identifier; empty for what is missing.
          type: str
          sample: vpc-0a1b2c3d4e5f60001
        arn:
          description: Its ARN, where it is known.
          type: str
          sample: ""
        differences:
          description: Each attribute that differs.
          type: list
          elements: dict
          sample: [{"attribute": "dns_hostnames", "wanted": true, "found": false}]
        heals:
          description: Whether a run of site.yml mends it.
          type: bool
          sample: true
        interrupts:
          description: What that interrupts; empty if nothing.
          type: str
          sample: ""
        who:
          description: Who made the change, by CloudTrail; empty if it does not tell.
          type: dict
          sample: {"by": "alice", "event": "ModifyVpcAttribute", "at": "2026-11-25T16:39:05+00:00", "sure": true}
    healed:
      description: As O(healed).
      type: bool
      sample: false
    hibernated:
      description: Whether the environment sleeps, and was not compared.
      type: bool
      sample: false
    note:
      description: Why CloudTrail could not be asked, empty if it could; or O(hibernated).
      type: str
      sample: ""
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.drift.findings import (
    CATEGORIES,
    Finding,
    claimed,
    findings_of,
)
from ansible_collections.pipeops.platform.plugins.module_utils.drift.tagged import unclaimed
from ansible_collections.pipeops.platform.plugins.module_utils.drift.trail import with_culprits
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws, describe_error, is_aws_error
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Identity
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress

ARGUMENT_SPEC: dict[str, Any] = {
    "environment": {"type": "str", "required": True},
    "platform": {"type": "str", "default": "pipeops"},
    "layers": {"type": "list", "elements": "dict", "required": True},
    "healed": {"type": "bool", "default": False},
    "hibernated": {"type": "str", "default": ""},
    "who": {"type": "bool", "default": True},
    "days": {"type": "float", "default": 7},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Return what has drifted.

    Raises:
        EngineError: if AWS does not tell what is tagged.
    """
    if params["hibernated"]:
        return _result([], params["hibernated"], healed=False, hibernated=True)
    aws, layers = Aws(params, progress), params["layers"]
    identity = Identity(params["platform"], params["environment"])
    try:
        findings = [*findings_of(layers), *unclaimed(aws, identity, claimed(layers))]
    except Exception as error:
        if not is_aws_error(error):
            raise
        what = f"Could not look for what is tagged as {identity.prefix} in {aws.region}"
        raise EngineError(f"{what}: {describe_error(error)}") from error
    note = ""
    if params["who"]:
        findings, note = with_culprits(aws, findings, params["days"])
    return _result(findings, note, healed=bool(params["healed"]), hibernated=False)


def _result(findings: Sequence[Finding], note: str, *, healed: bool, hibernated: bool) -> dict[str, Any]:
    counts = {category: sum(item.category == category for item in findings) for category in CATEGORIES}
    told = [item.as_dict() for item in findings]
    state = {"note": note, "healed": healed, "hibernated": hibernated}
    return {"drift": {"found": len(findings), "counts": counts, "findings": told, **state}}


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
