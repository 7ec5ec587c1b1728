#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_rotation
short_description: Rotate the credentials of a database without a failed connection
version_added: 1.0.0
description:
  - The secret of the database names two users in turn, the master user and its twin (C(MASTER_clone)). Only the one
    that it does not name gets a new password, so whoever has read the secret before can sign in until the next
    rotation.
  - Secrets Manager's rotation contract is kept. The next version is written with the label C(AWSPENDING) before the
    server is told. C(AWSCURRENT) moves once the primary and every replica, in whichever region, have let the user in.
    The former version is then C(AWSPREVIOUS).
  - A run that was killed is carried on by the next one, whether a rotation is due or not.
  - The first rotation makes the twin. It then owns everything that the master user owned, its jobs of C(pg_cron)
    included, and the master user acts as the twin from the moment it signs in. So what one makes, both own.
  - The twin's password reaches the server hashed, so none of its logs shows it. That of the master user is changed by
    RDS, which keeps it, too.
  - Copies of the secret in other regions are waited for. The passwords are in no result, difference or log.
options:
  identifier:
    description: Identifier of the DB instance, which must be a primary.
    type: str
    required: true
  secret_name:
    description: Name of its secret, a JSON object with C(username) and C(password).
    type: str
    required: true
  rotation_days:
    description: The age in days at which credentials are rotated.
    type: int
    default: 30
  force:
    description: Whether they are rotated at any age.
    type: bool
    default: false
  overlap_seconds:
    description:
      - How long ago the last rotation must be for O(force=true), because a rotation ends the credentials before the
        last ones. By then, whoever reads the secret must have read it again.
      - V(0) for credentials that somebody knows who must not know them.
    type: int
    default: 900
  database:
    description: The database that applications use.
    type: str
    default: app
  connect_timeout:
    description: Seconds for one try to connect.
    type: int
    default: 5
  ssl_mode:
    description:
      - How connections are encrypted, as in libpq; V(require) if neither this nor E(PGSSLMODE) is set.
      - V(verify-full) also holds the certificate against the bundle that E(PGSSLROOTCERT) names.
    type: str
    choices: [disable, allow, prefer, require, verify-ca, verify-full]
  dns_servers:
    description:
      - DNS servers that know the private names, each as C(ADDRESS) or C(ADDRESS:PORT). E(PIPEOPS_DNS_SERVERS) if not
        set, a list with commas; else those of the system.
    type: list
    elements: str
requirements:
  - psycopg >= 3.2
  - dnspython >= 2.6
notes:
  - C(community.postgresql) takes the password as an option, and runs one statement a task; C(community.aws) has no
    module that knows staging labels.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.patience
attributes:
  check_mode:
    support: full
    description: Reads the secret and the DB instances, signs in once, and changes nothing.
  diff_mode:
    support: full
    description: Returns the user that the secret names, before and after.
  idempotent:
    support: partial
    description: A second run changes nothing until the credentials are O(rotation_days) old, or with O(force=true).
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Rotate credentials that are a month old
  pipeops.platform.database_rotation:
    region: us-west-2
    identifier: pipeops-prod
    secret_name: pipeops/prod/database

- name: Rotate them now
  pipeops.platform.database_rotation:
    region: us-west-2
    identifier: pipeops-prod
    secret_name: pipeops/prod/database
    force: true
"""

RETURN = r"""
due:
  description: Whether a rotation was due, asked for or begun.
  returned: always
  type: bool
  sample: true
reason:
  description: Why, or why not.
  returned: always
  type: str
  sample: the credentials are 31 days old, to be rotated after 30
age_days:
  description: How old the credentials were.
  returned: always
  type: float
  sample: 31.2
username:
  description: The user that the secret names now, or would.
  returned: always
  type: str
  sample: pipeops_admin_clone
version_id:
  description: The version of the secret that is current; null where a dry run cannot know it.
  returned: always
  type: str
  sample: 1c2d3e4f-0000-4000-8000-000000000000
servers:
  description: The servers of the database, the primary first. After a rotation, all have let the user in.
  returned: always
  type: list
  elements: str
  sample: [pipeops-prod.c1a2b3c4d5e6.us-west-2.rds.amazonaws.com]
copies:
  description: The version that each copy of the secret has as its current one, by region.
  returned: always
  type: dict
  sample: {"us-east-1": "1c2d3e4f-0000-4000-8000-000000000000"}
actions:
  description: What was done or would be, in the words of M(pipeops.platform.rds_instance_set).
  returned: always
  type: list
  elements: dict
  sample: [{"action": "create/secret_version/pipeops/prod/database", "verb": "create", "kind": "secret_version"}]
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import PATIENCE_ARGUMENT_SPEC, Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import refusals_as, run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.postgres.connection import (
    POSTGRES_ARGUMENT_SPEC,
    insist_on_libraries,
)
from ansible_collections.pipeops.platform.plugins.module_utils.rotation import turns, versions
from ansible_collections.pipeops.platform.plugins.module_utils.rotation.rotating import Rotation, endpoints, find_fleet

SERVER_OPTIONS = ("database", "connect_timeout", "ssl_mode", "dns_servers")
ARGUMENT_SPEC: dict[str, Any] = {
    **PATIENCE_ARGUMENT_SPEC,
    **{name: POSTGRES_ARGUMENT_SPEC[name] for name in SERVER_OPTIONS},
    "identifier": {"type": "str", "required": True},
    # The name of a secret is none.
    "secret_name": {"type": "str", "required": True, "no_log": False},
    "rotation_days": {"type": "int", "default": 30},
    "force": {"type": "bool", "default": False},
    "overlap_seconds": {"type": "int", "default": 900},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Rotate the credentials, if that is due.

    Raises:
        EngineError: if they cannot be rotated, or something does not follow in time.
    """
    insist_on_libraries()
    for name, least in (("rotation_days", 1), ("overlap_seconds", 0)):
        if params[name] < least:
            raise EngineError(f"{name} is {params[name]}, allowed: {least} and more. Nothing was changed.")
    aws, secret = Aws(params, progress), params["secret_name"]
    with refusals_as(f"Could not rotate the secret {secret} in {aws.region}", "Run again: it goes on from there."):
        return _rotate(aws, params, check_mode)


def _rotate(aws: Aws, params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    secret = params["secret_name"]
    fleet = find_fleet(aws, params["identifier"].lower())
    standing = versions.observe(aws, secret)
    wish = turns.Wish(fleet.master, params["rotation_days"], params["force"], params["overlap_seconds"])
    pending = standing.pending.version if standing.pending else None
    plan = turns.decide(standing.current.version, pending, wish, turns.utc_now(), untidy=standing.untidy)
    version: str | None = standing.current.version.id
    if plan.steps:
        rotation = Rotation(aws, secret, fleet, wish, {name: params[name] for name in SERVER_OPTIONS})
        rotation.insist_on_open(standing.current)
        version = rotation.carry_out(standing, plan).version.id if not check_mode else None
    known = version is not None and not check_mode
    return {
        "version_id": version,
        "copies": versions.await_copies(aws, secret, standing.copies, str(version)) if known else {},
        "servers": endpoints(fleet),
        "actions": turns.actions(plan, secret, fleet.identifier, wish),
        **_told(standing.current.user, plan, secret),
    }


def _told(user: str, plan: turns.Plan, secret: str) -> dict[str, Any]:
    """Return what the plan says, for people; passwords are no part of it."""
    rotates = turns.MOVE in plan.steps
    return {
        "changed": bool(plan.steps),
        "due": rotates,
        "reason": plan.reason,
        "age_days": plan.age_days,
        "username": plan.user,
        "diff": {
            "before_header": secret,
            "after_header": secret,
            "before": {"username": user, "password": "that of the current version"},
            "after": {"username": plan.user, "password": f"that of {'the next' if rotates else 'the current'} version"},
        },
    }


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
