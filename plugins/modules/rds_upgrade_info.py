#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_upgrade_info
short_description: See what stands in the way of an upgrade of a database, and what it would do
version_added: 1.0.0
description:
  - Looks at a DB instance of PostgreSQL and at all that replicates it, in its region and in others, before the engine
    version is raised. With O(secret_name), it also asks PostgreSQL itself for what RDS's own check before a major
    upgrade refuses.
  - Each finding is a C(blocker), a C(warning) or a C(note), with what to do about it.
  - Tells the steps that are left, in the order that RDS accepts, each with what it interrupts, whether it can be undone
    and how long it usually takes, and for how long nothing will be able to take over in another region.
options:
  identifier:
    description: The identifier of the primary.
    type: str
    required: true
  version:
    description: The engine version that it is to get, major and minor, e.g. V(17.7).
    type: str
    required: true
  pair_arn:
    description: The ARN of the instance that is, or is to be, the standby in another region.
    type: str
  parameters:
    description: The names of the parameters that its group sets; a new major version may not have them any more.
    type: list
    elements: str
    default: []
  lag_limit_seconds:
    description: How far a replica may be behind. Of an idle database the figure goes up and down between 0 and 300.
    type: float
    default: 300
  secret_name:
    description: Name or ARN of the secret of the master user. Without it, PostgreSQL itself is not asked.
    type: str
  connect_timeout:
    description: Seconds for one try to connect.
    type: int
    default: 5
  ssl_mode:
    description: How the connection is encrypted, as in libpq; V(require) if neither this nor E(PGSSLMODE) is set.
    type: str
    choices: [disable, allow, prefer, require, verify-ca, verify-full]
  dns_servers:
    description: DNS servers that know the private names, each as C(ADDRESS) or C(ADDRESS:PORT);
      E(PIPEOPS_DNS_SERVERS) if not set, else those of the system.
    type: list
    elements: str
  accept:
    description: Names of findings that are no blockers, because somebody has looked at them.
    type: list
    elements: str
    default: []
requirements:
  - psycopg >= 3.2
  - dnspython >= 2.6
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.patience
  - pipeops.platform.reading
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: See whether prod can be upgraded
  pipeops.platform.rds_upgrade_info:
    region: us-west-2
    identifier: pipeops-prod
    version: "17.7"
    pair_arn: arn:aws:rds:us-east-1:123456789012:db:pipeops-dr
    secret_name: pipeops/prod/database
"""

RETURN = r"""
outputs:
  description: What was found.
  returned: always
  type: dict
  contains:
    current:
      description: The version before the upgrade.
      type: str
      sample: "17.6"
    target:
      description: The version asked for.
      type: str
      sample: "17.7"
    begins:
      description: Whether anything is left to do.
      type: bool
      sample: true
    major:
      description: Whether it is a major upgrade.
      type: bool
      sample: false
    behind:
      description: Whether the primary has still to be upgraded.
      type: bool
      sample: true
    findings:
      description: All findings, each with C(name), C(level), C(text) and C(mend).
      type: list
      elements: dict
      sample: [{"name": "lag/pipeops-prod-a", "level": "warning", "text": "Nobody knows.", "mend": ""}]
    blockers:
      description: The sentences of the findings that stop an upgrade, each with what to do.
      type: list
      elements: str
      sample: []
    steps:
      description: What is left to do, in order.
      type: list
      elements: dict
      sample: [{"step": "upgrade", "identifier": "pipeops-prod-a", "region": "us-west-2",
        "text": "Upgrade pipeops-prod-a in us-west-2 from PostgreSQL 17.6 to 17.7",
        "interrupts": "the readers of this replica, for minutes", "reversible": false, "typical_seconds": 600,
        "uncovered": false}]
    plan:
      description: The same as sentences.
      type: list
      elements: str
      sample: ["Take a snapshot of pipeops-prod in us-west-2 (interrupts nothing; usually 5 min)"]
    replicas:
      description: The replicas in its region, each with C(identifier), C(region), C(arn), C(version) and C(endpoint).
      type: list
      elements: dict
      sample: [{"identifier": "pipeops-prod-a", "region": "us-west-2",
        "arn": "arn:aws:rds:us-west-2:123456789012:db:pipeops-prod-a", "version": "17.6",
        "endpoint": "pipeops-prod-a.c1a2b3c4d5e6.us-west-2.rds.amazonaws.com"}]
    standbys:
      description: The same of replicas in other regions.
      type: list
      elements: dict
      sample: []
    uncovered_seconds:
      description: For how long nothing will be able to take over in another region, by the usual times.
      type: int
      sample: 600
    uncovered_since:
      description: Since when nothing can, if an earlier run has begun that; else null.
      type: str
      sample: "2026-11-30T07:00:00Z"
    endpoint:
      description: The address of the primary.
      type: str
      sample: pipeops-prod.c1a2b3c4d5e6.us-west-2.rds.amazonaws.com
    port:
      description: Its port.
      type: int
      sample: 5432
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import env_fallback
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import PATIENCE_ARGUMENT_SPEC, Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.postgres.connection import server_of
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_describe import Instance
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade import rds_inside, rds_steps
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.findings import BLOCKER, Finding
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.rds_facts import (
    REPLICA,
    STANDBY,
    TAG_UNCOVERED,
    Facts,
    Question,
    read,
)
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.rds_findings import assess

ARGUMENT_SPEC: dict[str, Any] = {
    **PATIENCE_ARGUMENT_SPEC,
    "identifier": {"type": "str", "required": True},
    "version": {"type": "str", "required": True},
    "pair_arn": {"type": "str"},
    "parameters": {"type": "list", "elements": "str", "default": []},
    "lag_limit_seconds": {"type": "float", "default": 300},
    "secret_name": {"type": "str", "no_log": False},
    "connect_timeout": {"type": "int", "default": 5},
    "ssl_mode": {
        "type": "str",
        "choices": ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
        "fallback": (env_fallback, ["PGSSLMODE"]),
    },
    "dns_servers": {"type": "list", "elements": "str", "fallback": (env_fallback, ["PIPEOPS_DNS_SERVERS"])},
    "accept": {"type": "list", "elements": "str", "default": []},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Return what was found."""
    del check_mode

    def look_inside(instance: Instance) -> tuple[rds_inside.Inside | None, str]:
        address = instance.get("Endpoint") or {}
        if not params["secret_name"]:
            return None, ""
        if not address:
            return None, "it has no address yet"
        try:
            reached = {**params, "endpoint": address["Address"], "port": address["Port"]}
            return rds_inside.look(server_of(reached)), ""
        except EngineError as error:
            return None, str(error)

    asked = Question(params["identifier"].lower(), params["version"], params["pair_arn"], params["parameters"])
    facts = read(Aws(params, progress), asked, look_inside)
    return {"outputs": _outputs(facts, assess(facts, params["lag_limit_seconds"], params["accept"]))}


def _outputs(facts: Facts, findings: list[Finding]) -> dict[str, Any]:
    left, address = rds_steps.steps(facts), facts.primary.instance.get("Endpoint") or {}
    return {
        "current": facts.origin,
        "target": facts.target,
        "begins": facts.begins,
        "major": facts.major,
        "behind": facts.primary.behind(facts.target),
        "findings": [finding.as_dict() for finding in findings],
        "blockers": [f"{one.id}: {one.text} {one.mend}".rstrip() for one in findings if one.level == BLOCKER],
        "steps": [step.as_dict() for step in left],
        "plan": [step.sentence for step in left],
        "replicas": _members(facts, REPLICA),
        "standbys": _members(facts, STANDBY),
        "uncovered_seconds": rds_steps.uncovered_seconds(left),
        "uncovered_since": facts.tags.get(TAG_UNCOVERED),
        "endpoint": address.get("Address"),
        "port": address.get("Port"),
    }


def _members(facts: Facts, role: str) -> list[dict[str, Any]]:
    return [
        {
            "identifier": one.name,
            "region": one.region,
            "arn": one.arn,
            "version": one.version,
            "endpoint": (one.instance.get("Endpoint") or {}).get("Address"),
        }
        for one in facts.replicas
        if one.role == role
    ]


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
