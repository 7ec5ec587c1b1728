#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kube_secret_refresh
short_description: Bring a secret that has changed to the pods of a cluster at once
version_added: 1.0.0
description:
  - External Secrets reads secrets of Secrets Manager every few minutes. This has it read one at once, by the annotation
    C(force-sync) on each ExternalSecret that draws on it, and waits until the password of the present version is in the
    Secrets that pods use.
  - Only those are annotated that have another password, so a second run changes nothing.
  - A cluster that is not there, cannot be reached, or has no External Secrets is told in RV(reason), and left alone.
  - The password is in no result, difference or log.
options:
  cluster_name:
    description: Name of the EKS cluster in this region.
    type: str
    required: true
  secret_name:
    description: Name of the secret in this region, a JSON object with a C(password).
    type: str
    required: true
  expected:
    description: Whether a dry run foresees another secret, so that all that follow it would be refreshed.
    type: bool
    default: false
  required:
    description: Whether it is an error if the cluster cannot be reached, or has no External Secrets.
    type: bool
    default: true
  reach_timeout:
    description: Seconds for which an API server that does not answer is tried.
    type: int
    default: 20
  wait_timeout:
    description: The longest wait for the operator, in seconds.
    type: int
    default: 120
  wait_delay:
    description: The longest pause between two looks, in seconds.
    type: float
    default: 2
notes:
  - C(kubernetes.core) could annotate, but would need the password as an option to see that it has arrived.
  - The identity needs an access entry in the cluster, see M(pipeops.platform.eks_cluster).
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
    description: Tells what would be refreshed, and changes nothing.
  diff_mode:
    support: full
    description: Returns each ExternalSecret before and after.
  idempotent:
    support: full
    description: A second run changes nothing.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Bring the new password to the pods
  pipeops.platform.kube_secret_refresh:
    region: us-west-2
    cluster_name: pipeops-prod
    secret_name: pipeops/prod/database
    required: false
  register: refreshed
"""

RETURN = r"""
reason:
  description: Why the cluster was left alone, empty if it was not.
  returned: always
  type: str
  sample: ""
followers:
  description: The ExternalSecrets that draw on the secret.
  returned: always
  type: list
  elements: str
  sample: [api-services/database, batch-jobs/database]
refreshed:
  description: Those that had another password, and were refreshed or would be.
  returned: always
  type: list
  elements: str
  sample: [api-services/database]
actions:
  description: Each object that changed, or would, in the words of M(pipeops.platform.eks_cluster).
  returned: always
  type: list
  elements: dict
  sample: [{"action": "update/ExternalSecret/api-services/database", "verb": "update", "kind": "ExternalSecret"}]
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws, describe_error, is_aws_error
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.lease import LeaseLost
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Patience, Progress
from ansible_collections.pipeops.platform.plugins.module_utils.kube import refreshing
from ansible_collections.pipeops.platform.plugins.module_utils.kube.activating import find_cluster
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import Api
from ansible_collections.pipeops.platform.plugins.module_utils.kube.objects import Outcome
from ansible_collections.pipeops.platform.plugins.module_utils.resources.secret import PASSWORD, read_credentials

ARGUMENT_SPEC: dict[str, Any] = {
    "cluster_name": {"type": "str", "required": True},
    # The name of a secret is none.
    "secret_name": {"type": "str", "required": True, "no_log": False},
    "expected": {"type": "bool", "default": False},
    "required": {"type": "bool", "default": True},
    "reach_timeout": {"type": "int", "default": 20},
    "wait_timeout": {"type": "int", "default": 120},
    "wait_delay": {"type": "float", "default": 2.0},
}


class OutOfReach(EngineError):
    """The cluster cannot be looked into."""


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Refresh what is stale, and wait until it has arrived.

    Raises:
        EngineError: if the cluster is out of reach and required, or the operator does not follow in time.
    """
    outcome = Outcome()
    try:
        api, followers, stale, password = _look(params, progress)
    except OutOfReach as error:
        if params["required"]:
            raise
        return {"reason": str(error), "followers": [], "refreshed": [], **outcome.as_dict()}
    if check_mode and params["expected"]:
        stale = followers
    refreshing.refresh(api, stale, outcome, check_mode=check_mode)
    if stale and not check_mode:
        patience = Patience(params["wait_timeout"], params["wait_delay"])
        refreshing.await_refreshed(api, params["secret_name"], stale, password, patience, progress)
    places = [[one.place for one in some] for some in (followers, stale)]
    return {"reason": "", "followers": places[0], "refreshed": places[1], **outcome.as_dict()}


def _look(
    params: Mapping[str, Any], progress: Progress
) -> tuple[Api, list[refreshing.Follower], list[refreshing.Follower], str]:
    """Return the way to the cluster, who follows the secret, who of them is behind, and the password.

    Raises:
        OutOfReach: if the cluster cannot be looked into.
    """
    name, secret = params["cluster_name"], params["secret_name"]
    try:
        aws = Aws({**params, "wait_timeout": params["reach_timeout"]}, progress)
        cluster = find_cluster(aws, name)
        if cluster is None:
            raise OutOfReach(f"There is no cluster {name} in {aws.region}.")
        api = Api(aws, cluster)
        followers = refreshing.look(api, secret)
        if followers is None:
            raise OutOfReach(f"The cluster {name} in {aws.region} has no External Secrets. Run playbooks/addons.yml.")
        password = str(read_credentials(aws, secret)[PASSWORD])
        return api, followers, [one for one in followers if refreshing.is_stale(api, one, password)], password
    except LeaseLost:
        raise
    except Exception as error:
        if not (isinstance(error, EngineError) or is_aws_error(error)):
            raise
        raise OutOfReach(describe_error(error)) from error


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
