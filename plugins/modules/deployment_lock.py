#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_lock
short_description: Let one run at a time change an environment
version_added: 1.0.0
description:
  - Takes the lock of one or more environments for the rest of the run, in the lock table of each, see
    M(pipeops.platform.state_backend). One that is held by another run is waited for, or refused by the name of its
    holder.
  - The lock is a lease. A process beside the run renews it for as long as the controller goes on, and frees it as soon
    as the controller and its workers have ended, whichever way they went. One that is not renewed, because its machine
    is gone, is taken over once it has ended.
  - From then on, each change that a module of this collection makes is preceded by a look at the lease, on this
    machine. A run that was suspended for too long, or whose lock was freed, stops before its next change.
  - In check mode it takes no lock.
options:
  state:
    description:
      - V(held) takes the locks for the rest of the run. Locks that it holds already are left as they are.
      - V(free) frees them, whoever holds them. A holder that lives stops before its next change, and is waited for; one
        that does not is waited for until its lease ends. In check mode it only tells who holds them.
    type: str
    choices: [held, free]
    default: held
  platform:
    description: The first part of the tables' names, C(PLATFORM-ENVIRONMENT-locks).
    type: str
    default: pipeops
  environments:
    description: The environments, each with the region of its table.
    type: dict
    required: true
  lease_seconds:
    description:
      - How long others have to wait after the last renewal before they take the lock over, at least V(5).
      - It is renewed after a quarter of it. The run stops to rely on it a fifth of it before its end.
    type: float
    default: 60
  wait_seconds:
    description: How long to wait for another holder. With V(0), the run is refused at once.
    type: float
    default: 0
  insist:
    description:
      - Whether to ask another holder to stop, and to wait until it has.
      - It stops before its next change, once it comes to renew its lease; if it does not, its lease ends.
    type: bool
    default: false
  without:
    description:
      - For which reasons to go on without a lock.
      - V(table), because there is no table yet; V(region), because the region of the table does not answer, also later
        in the run.
      - The result tells which locks were not taken.
    type: list
    elements: str
    choices: [table, region]
    default: []
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.controller
attributes:
  check_mode:
    description: It takes no lock.
  idempotent:
    support: full
    description: A lock that this run holds is left as it is, and one that it does not hold is not freed.
  platform:
    support: full
    platforms: posix
notes:
  - Needs a strategy that loads action plugins in the controller, as P(ansible.builtin.linear#strategy) and
    P(ansible.builtin.free#strategy) do.
  - Modules that run over another connection than a local one do not see the lease.
  - A request that is on its way when the process is stopped may still be carried out. Nothing that begins after it is.
seealso:
  - module: pipeops.platform.state_backend
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Let nobody else deploy prod and dr
  pipeops.platform.deployment_lock:
    region: us-west-2
    environments:
      prod: us-west-2
      dr: us-east-1
    wait_seconds: 600
  run_once: true

- name: Free the lock of prod
  pipeops.platform.deployment_lock:
    region: us-west-2
    state: free
    environments:
      prod: us-west-2
  run_once: true
"""

RETURN = r"""
held:
  description: The locks that are held, by environment.
  returned: when O(state=held)
  type: dict
  contains:
    fencing_token:
      description: A number that grows with each holder.
      type: int
      sample: 1795624745
    table:
      description: The lock table.
      type: str
      sample: pipeops-prod-locks
without:
  description: The locks that were not taken for a reason that O(without) names, by environment, with the reason.
  returned: when O(state=held)
  type: dict
  sample: {"prod": "Could not reach the lock table pipeops-prod-locks of prod in us-west-2"}
waited_seconds:
  description: How long other runs held locks meanwhile. What was looked at before may have changed since.
  returned: when O(state=held)
  type: float
  sample: 0.0
holders:
  description: Who held the locks, by environment; those that nobody held are left out.
  returned: when O(state=free)
  type: dict
  contains:
    holder:
      description: Who runs it, and where.
      type: str
      sample: alice@laptop
    pid:
      description: The process of the controller there.
      type: int
      sample: 4711
    purpose:
      description: The playbook and its limit.
      type: str
      sample: site.yml --limit prod
    url:
      description: Where a CI system shows the run; empty if none does.
      type: str
      sample: https://github.com/pipeops/platform/actions/runs/1
    fencing_token:
      description: The number of this holder.
      type: int
      sample: 1795624744
    since:
      description: When it took the lock.
      type: str
      sample: "2026-11-25T16:40:05+00:00"
    ends_at:
      description: When its lease ends unless it is renewed.
      type: str
      sample: "2026-11-25T16:52:20+00:00"
    told:
      description: All of it as a sentence.
      type: str
      sample: alice@laptop (process 4711) for site.yml --limit prod, since 2026-11-25T16:40:05+00:00
"""
