# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation that modules share that work inside a cluster."""

from __future__ import annotations


class ModuleDocFragment:
    """How a cluster is reached, and how long it is waited for."""

    DOCUMENTATION = r"""
options:
  cluster_name:
    description: The name of the EKS cluster.
    type: str
    required: true
  endpoint:
    description:
      - The URL of its API server, as M(pipeops.platform.eks_cluster) returns it.
      - In check mode it may be a placeholder of a cluster that is yet to be made. Then everything is announced.
    type: str
    required: true
  certificate_authority:
    description: The certificates that the API server is trusted by, base64 of PEM, from the same place.
    type: str
    required: true
  wait_timeout:
    description:
      - The longest wait for one object or release, in seconds.
      - A token is taken for 15 minutes, so a longer wait for a release ends unauthorised.
    type: int
    default: 600
  wait_delay:
    description: The longest pause between two looks at what is waited for, in seconds.
    type: float
    default: 5
notes:
  - The API server knows the caller by a token that is made from the AWS credentials in each task. There is neither
    kubeconfig nor AWS CLI.
  - The identity needs an access entry in the cluster, see M(pipeops.platform.eks_cluster).
"""
