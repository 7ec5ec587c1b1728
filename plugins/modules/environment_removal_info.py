#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: environment_removal_info
short_description: Tell what stands of an environment that shall be destroyed, and what speaks against it
version_added: 1.0.0
description:
  - Reads what stands of an environment, and who else depends on it - replicas of its database in other regions, copies
    of its backups and of its secret there, VPCs that resolve its zone. All of that is asked of AWS, not of inventories.
  - Fails with every reason against a destroy, unless O(refuse=false).
  - Tells which KMS keys are needed by what is kept.
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
  secret_name:
    description: The name of the master secret.
    type: str
    required: true
  pair:
    description:
      - C(environment) and C(region) of the environment that may follow this one. Its published outputs are read.
    type: dict
  database_role:
    description: What the inventory says of the database.
    type: str
    choices: [primary, replica]
    default: primary
  destroy_protected:
    description: Whether protections from deletion are lifted, instead of being a reason.
    type: bool
    default: false
  final_snapshot:
    description: Whether a final snapshot will be taken of a primary that stands. It keeps the key C(rds).
    type: bool
    default: true
  keep_state:
    description: Whether the state bucket and the lock table are kept. They keep the key C(state).
    type: bool
    default: false
  delete_snapshots:
    description: Whether manual snapshots will be deleted, so that they keep no key.
    type: bool
    default: false
  delete_backups:
    description: Whether retained backups will be deleted, so that they keep no key.
    type: bool
    default: false
  refuse:
    description: Whether to fail if something speaks against the destroy.
    type: bool
    default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.reading
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: See whether dev may go
  pipeops.platform.environment_removal_info:
    region: us-west-2
    environment: dev
    secret_name: pipeops/dev/database
  register: removal
"""

RETURN = r"""
objections:
  description: What speaks against it, a sentence each.
  returned: always
  type: list
  elements: str
  sample: []
facts:
  description: What stands.
  returned: always
  type: dict
  contains:
    vpc_id:
      description: The VPC; empty if it is gone.
      type: str
      sample: vpc-0a1b2c3d4e5f60001
    instances:
      description: The DB instances, each with its status, its source and who follows it.
      type: list
      elements: dict
      sample: []
    cluster:
      description: The cluster; empty if it is gone.
      type: dict
      sample: {}
    secret:
      description: The master secret; empty if it is gone.
      type: dict
      sample: {}
    zone:
      description: The private zone and the VPCs that resolve it; empty if it is gone.
      type: dict
      sample: {}
    published_source:
      description: The database that the pair says it follows; empty if it says none.
      type: str
      sample: ""
key_arns:
  description: The ARN of each KMS key by its name.
  returned: always
  type: dict
  sample: {"rds": "arn:aws:kms:us-west-2:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000"}
kept_keys:
  description: The names of keys that are kept, each with what needs it.
  returned: always
  type: dict
  sample: {"rds": ["DB snapshot pipeops-dev-final-20261125-030405"]}
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import refusals_as, run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Identity
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.removal import facts, keys
from ansible_collections.pipeops.platform.plugins.module_utils.removal.objections import objections

ARGUMENT_SPEC: dict[str, Any] = {
    "environment": {"type": "str", "required": True},
    "platform": {"type": "str", "default": "pipeops"},
    "account_id": {"type": "str"},
    "cluster_name": {"type": "str"},
    # The name of a secret is none.
    "secret_name": {"type": "str", "required": True, "no_log": False},
    "pair": {"type": "dict"},
    "database_role": {"type": "str", "choices": ["primary", "replica"], "default": "primary"},
    "destroy_protected": {"type": "bool", "default": False},
    "final_snapshot": {"type": "bool", "default": True},
    "keep_state": {"type": "bool", "default": False},
    "delete_snapshots": {"type": "bool", "default": False},
    "delete_backups": {"type": "bool", "default": False},
    "refuse": {"type": "bool", "default": True},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Return what stands and what speaks against its removal.

    Raises:
        EngineError: for that, or if AWS does not tell.
    """
    aws, identity = Aws(params, progress), Identity(params["platform"], params["environment"])
    with refusals_as(f"Could not see what stands of {identity.prefix} in {aws.region}"):
        found = facts.observe(aws, identity, params["secret_name"], params["pair"], params["cluster_name"])
        own = keys.keys_of(aws, identity)
        snapshots, backups = not params["delete_snapshots"], not params["delete_backups"]
        kept = keys.kept_for(own, keys.uses_of(aws, snapshots=snapshots, backups=backups))
    reasons = objections(
        found, identity.environment, aws.region, role=params["database_role"], protected=params["destroy_protected"]
    )
    if reasons and params["refuse"]:
        raise EngineError(f"Refused, nothing was changed. {identity.prefix} cannot go. {' '.join(reasons)}")
    return {"facts": found, "objections": reasons, "key_arns": own, "kept_keys": _foreseen(params, found, own, kept)}


def _foreseen(
    params: Mapping[str, Any], found: Mapping[str, Any], own: Mapping[str, str], kept: dict[str, list[str]]
) -> dict[str, list[str]]:
    """Add what will be kept once the run is done."""
    primaries = [one["identifier"] for one in found["instances"] if one["owned"] and not one["source"]]
    more = {
        "rds": [f"the final snapshot of {name}" for name in primaries] if params["final_snapshot"] else [],
        "state": ["the state bucket and the lock table"] if params["keep_state"] else [],
    }
    named = {**kept, **{key: [*kept.get(key, []), *uses] for key, uses in more.items() if uses}}
    return {name: uses for name, uses in named.items() if name in own}


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
