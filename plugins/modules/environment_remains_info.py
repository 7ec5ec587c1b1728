#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: environment_remains_info
short_description: Prove that nothing is left of an environment but what is kept
version_added: 1.0.0
description:
  - Looks in every region that an environment touches for what carries its owner tags, for roles, zones and identity
    providers of its name, and for what its cluster and AWS's services made for it.
  - Tells of each thing whether it is kept, and why, and what it costs a month where the list of prices knows that.
  - Fails if anything else is left. AWS lists tags of what is gone for a while, so it looks again for
    O(settle_timeout) seconds.
options:
  environment:
    description: The environment.
    type: str
    required: true
  platform:
    description: The first part of every name.
    type: str
    default: pipeops
  account_id:
    description: The AWS account. Asked of STS if not set.
    type: str
  cluster_name:
    description: The name of its cluster, if that is not C(PLATFORM-ENVIRONMENT).
    type: str
  regions:
    description: Further regions in which the environment may have something.
    type: list
    elements: str
    default: []
  vpc_id:
    description: The VPC that it had, for network interfaces without tags.
    type: str
    default: ""
  db_instances:
    description: Identifiers of the DB instances that it had, for their log groups.
    type: list
    elements: str
    default: []
  kept_keys:
    description: As M(pipeops.platform.environment_removal_info) returns it.
    type: dict
    default: {}
  keep_snapshots:
    description: Whether DB snapshots are kept.
    type: bool
    default: true
  keep_backups:
    description: Whether retained automated backups are kept.
    type: bool
    default: true
  keep_state:
    description: Whether the state bucket and the lock table are kept.
    type: bool
    default: false
  insist:
    description: Whether to fail if anything else is left. Without it, it looks once.
    type: bool
    default: true
  settle_timeout:
    description: Seconds until what is still listed is taken to be there.
    type: int
    default: 300
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.reading
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Prove that dev is gone
  pipeops.platform.environment_remains_info:
    region: us-west-2
    environment: dev
    regions: [us-east-1]
"""

RETURN = r"""
remains:
  description: Everything that is still there.
  returned: always
  type: list
  elements: dict
  contains:
    region:
      description: Where it is; V(global) for roles and zones.
      type: str
      sample: us-west-2
    type:
      description: Service and type.
      type: str
      sample: rds:snapshot
    name:
      description: Its name.
      type: str
      sample: pipeops-dev-final-20261125-030405
    arn:
      description: Its ARN, where it is known.
      type: str
      sample: arn:aws:rds:us-west-2:123456789012:snapshot:pipeops-dev-final-20261125-030405
    kept:
      description: Whether it is there on purpose.
      type: bool
      sample: true
    reason:
      description: Why it is kept; empty if it is left over.
      type: str
      sample: the data of the database; delete it with -e destroy_snapshots=true
    price:
      description: Service, item and count, as the list of prices has them; null for what costs nothing by itself.
      type: list
      elements: raw
      sample: [AmazonRDS, "backup-storage:above-free", 100.0]
    note:
      description: What is to be said of its price.
      type: str
      sample: "at most: its size in use counts"
    usd_month:
      description: What it costs a month; null if that is not known, or nothing. Only over a local connection.
      type: float
      sample: 9.5
kept:
  description: How many are kept.
  returned: always
  type: int
  sample: 8
left:
  description: How many are left over.
  returned: always
  type: int
  sample: 0
usd_month:
  description: What all that is kept costs a month, as far as it is known. Only over a local connection.
  returned: always
  type: float
  sample: 10.5
lines:
  description: The same as a table for people.
  returned: always
  type: list
  elements: str
  sample: []
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import refusals_as, run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Identity
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Patience, Progress, wait_until
from ansible_collections.pipeops.platform.plugins.module_utils.removal.remains import Keeping, Remain, remains

ARGUMENT_SPEC: dict[str, Any] = {
    "environment": {"type": "str", "required": True},
    "platform": {"type": "str", "default": "pipeops"},
    "account_id": {"type": "str"},
    "cluster_name": {"type": "str"},
    "regions": {"type": "list", "elements": "str", "default": []},
    "vpc_id": {"type": "str", "default": ""},
    "db_instances": {"type": "list", "elements": "str", "default": []},
    # Names of keys, none of which is secret.
    "kept_keys": {"type": "dict", "default": {}, "no_log": False},
    "keep_snapshots": {"type": "bool", "default": True},
    "keep_backups": {"type": "bool", "default": True},
    "keep_state": {"type": "bool", "default": False},
    "insist": {"type": "bool", "default": True},
    "settle_timeout": {"type": "int", "default": 300},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Return what is left.

    Raises:
        EngineError: if anything is that is not kept, or if AWS does not tell.
    """
    here, identity = Aws(params, progress), Identity(params["platform"], params["environment"])
    keeping = Keeping(params["kept_keys"], params["keep_snapshots"], params["keep_backups"], params["keep_state"])
    others = [Aws({**params, "region": region}, progress) for region in params["regions"] if region != here.region]

    def look() -> list[Remain]:
        with refusals_as(f"Could not look for what is left of {identity.prefix} in {here.region}"):
            return remains(here, others, identity, keeping, params)

    return told(_settled(look, identity, params, progress) if params["insist"] else look())


def _settled(look: Any, identity: Identity, params: Mapping[str, Any], progress: Progress) -> list[Remain]:
    found: list[Remain] = []

    def check() -> tuple[list[Remain] | None, str]:
        nonlocal found
        found = look()
        left = [one for one in found if not one.reason]
        return (None, f"{len(left)} listed, {left[0].type} {left[0].name} among them") if left else (found, "")

    try:
        return wait_until(check, f"the end of {identity.prefix}", 60, Patience(params["settle_timeout"]), progress)
    except EngineError as error:
        left = "; ".join(f"{one.type} {one.name} in {one.region}" for one in found if not one.reason)
        raise EngineError(
            f"Not everything of {identity.prefix} is gone. Left: {left}. Run again: it goes on where it stopped. What "
            "is left then was made by somebody else under the tags of this environment: look who with "
            "playbooks/drift.yml or in CloudTrail, and delete it there."
        ) from error


def told(found: list[Remain]) -> dict[str, Any]:
    """Return it as the result carries it."""
    kept = sum(bool(one.reason) for one in found)
    rows = [one.as_dict() for one in found]
    return {"remains": rows, "kept": kept, "left": len(found) - kept, "usd_month": None, "lines": []}


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
