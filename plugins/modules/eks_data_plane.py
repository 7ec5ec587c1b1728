#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_data_plane
short_description: Manage the EKS add-ons and managed node groups of a cluster
version_added: 1.0.0
description:
  - Brings the EKS add-ons of a cluster that stands, their AWS roles, and where EKS Auto Mode does not run the nodes its
    managed node groups, their role and their launch template to the wanted state in one task.
  - An add-on is found by its name, also one that others made; it is taken over then. What others made and nobody lists
    is left alone.
  - There is one node group a zone, so that nodes are spread evenly and volumes find nodes in their zone. The bounds of
    all groups come to O(node_minimum) and O(node_maximum) in sum. How many nodes there are in between is left to the
    cluster's autoscaler.
  - Add-ons that nodes cannot become ready without come first, then node groups, then all other add-ons.
  - An add-on that is C(DEGRADED) for want of nodes or of its API server is waited for ten minutes, and for any other
    reason not at all. In both cases the task fails, with the codes and messages of EKS.
options:
  cluster_name:
    description: The name of the cluster. Taken as C(PLATFORM-ENVIRONMENT) if not set.
    type: str
  kubernetes_version:
    description: The Kubernetes version of the cluster by major and minor number, for which versions are chosen.
    type: str
    required: true
  auto_mode:
    description:
      - Whether EKS Auto Mode runs the nodes. Then there are no node groups, and what Auto Mode brings itself is refused
        as an add-on.
      - If not, the add-ons C(vpc-cni), C(kube-proxy), C(coredns), C(eks-pod-identity-agent) and C(aws-ebs-csi-driver)
        are there without being listed.
    type: bool
    default: true
  addons:
    description:
      - The EKS add-ons. One that is not listed any more is removed if it carries our owner tags.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What EKS calls it, e.g. V(metrics-server).
        type: str
        required: true
      version:
        description:
          - V(default) is the version that EKS picks for O(kubernetes_version), V(latest) the newest that runs on it.
          - Or one as EKS lists it, e.g. V(v0.8.1-eksbuild.1).
        type: str
        default: default
      configuration:
        description: Configuration values by the schema of the add-on. Others that it has are dropped.
        type: dict
        default: {}
      namespace:
        description: Where its pods are, if not where EKS puts them. It cannot be changed later.
        type: str
      resolve_conflicts:
        description:
          - What becomes of changes that others made to its objects. V(preserve) keeps them, V(overwrite) takes them
            back, and with V(none) EKS refuses to go on.
        type: str
        choices: [none, overwrite, preserve]
        default: preserve
      preserve:
        description: Whether its software stays in the cluster, unmanaged, when the add-on is removed.
        type: bool
        default: false
      roles:
        description: The AWS roles of its service accounts.
        type: list
        elements: dict
        default: []
        suboptions:
          service_account:
            description: The Kubernetes service account.
            type: str
            required: true
          role_arn:
            description: A role that is there already. It has to trust EKS Pod Identity, or the cluster's issuer.
            type: str
          role_name:
            description: The name of the role that is made otherwise, C(CLUSTER-NAMESPACE-SERVICE_ACCOUNT) if not set.
            type: str
          managed_policies:
            description: ARNs of IAM policies, or names of those that AWS keeps.
            type: list
            elements: str
            default: []
          inline_policies:
            description: IAM policy documents by name.
            type: dict
            default: {}
  workload_identity:
    description: How add-ons get their roles. V(irsa) is IAM roles for service accounts, and needs O(oidc_issuer).
    type: str
    choices: [pod_identity, irsa]
    default: pod_identity
  oidc_issuer:
    description: The issuer of the cluster's tokens.
    type: str
    default: ""
  zones:
    description: The availability zones of the nodes, without O(auto_mode).
    type: list
    elements: str
    default: []
  subnet_ids:
    description: The subnet of each zone, in the same order.
    type: list
    elements: str
    default: []
  node_minimum:
    description: The fewest nodes, over all zones.
    type: int
    default: 2
  node_maximum:
    description: The most nodes, over all zones. While nodes are replaced there are more for minutes.
    type: int
    default: 4
  instance_types:
    description:
      - The instance types of nodes, the preferred one first. EKS takes the next one where a zone lacks the first.
      - They are set when a group is made; others need another O(node_revision).
    type: list
    elements: str
    default: []
  node_revision:
    description:
      - The ending of the groups' names. Another one makes new groups beside the old ones, which are drained and removed
        when the new ones are active. Until then there are nodes of both.
    type: str
    default: "1"
  node_version_rule:
    description:
      - What becomes of groups whose nodes run another Kubernetes version than O(kubernetes_version).
      - V(refuse) refuses to go on, V(keep) leaves them, and V(update) replaces their nodes one after the other.
    type: str
    choices: [refuse, keep, update]
    default: refuse
  node_release_version:
    description: The release of the machine image. If not set, that which EKS picked last is left as it is.
    type: str
  ami_type:
    description: The kind of machine image.
    type: str
    choices: [AL2023_x86_64_STANDARD, AL2023_ARM_64_STANDARD, BOTTLEROCKET_x86_64, BOTTLEROCKET_ARM_64]
    default: AL2023_x86_64_STANDARD
  node_disk_gib:
    description: The size of a node's disk, in GiB.
    type: int
    default: 80
  kms_key_arn:
    description: The key of node disks; AWS's own if not set. Auto Scaling has to be allowed to use it.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Manage the add-ons of a cluster in Auto Mode
  pipeops.platform.eks_data_plane:
    region: us-west-2
    environment: prod
    kubernetes_version: "1.36"
    addons:
      - name: metrics-server
      - name: amazon-cloudwatch-observability
        version: latest
        configuration: {containerLogs: {enabled: false}}
        namespace: amazon-cloudwatch
        roles:
          - service_account: cloudwatch-agent
            managed_policies: [CloudWatchAgentServerPolicy]

- name: Manage nodes and add-ons of a cluster without Auto Mode
  pipeops.platform.eks_data_plane:
    region: us-west-2
    environment: staging
    kubernetes_version: "1.36"
    auto_mode: false
    zones: [us-west-2a, us-west-2b]
    subnet_ids: [subnet-0a1b2c3d4e5f60721, subnet-0a1b2c3d4e5f60722]
    node_minimum: 2
    node_maximum: 6
    instance_types: [t3.large]
    kms_key_arn: arn:aws:kms:us-west-2:123456789012:key/1c2d3e4f-0000-4000-8000-000000000002
"""

RETURN = r"""
outputs:
  description: What other roles need. Values that AWS has not given out yet are placeholders.
  returned: when O(state=present)
  type: dict
  contains:
    addons:
      description: The C(version) of each add-on, and the C(role_arns) of its service accounts.
      type: dict
      sample: {"metrics-server": {"version": "v0.8.0-eksbuild.2", "role_arns": {}}}
    node_groups:
      description: The C(name) and bounds of each group, by its zone.
      type: dict
      sample: {"us-west-2a": {"name": "pipeops-staging-us-west-2a-1", "minimum": 1, "maximum": 3}}
    worker_role_arn:
      description: The role of their nodes; none in Auto Mode.
      type: str
      sample: arn:aws:iam::123456789012:role/pipeops-staging-worker
health:
  description: What ails add-ons and node groups, by C(KIND/NAME), in the codes and words of EKS.
  returned: always
  type: dict
  sample: {"eks_addon/coredns": "InsufficientNumberOfReplicas: The add-on is unhealthy (pipeops-prod)"}
"""

from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.eks_data_plane import LAYER

AMI_TYPES = ["AL2023_x86_64_STANDARD", "AL2023_ARM_64_STANDARD", "BOTTLEROCKET_x86_64", "BOTTLEROCKET_ARM_64"]
ROLE_SPEC: dict[str, Any] = {
    "service_account": {"type": "str", "required": True},
    "role_arn": {"type": "str"},
    "role_name": {"type": "str"},
    "managed_policies": {"type": "list", "elements": "str", "default": []},
    "inline_policies": {"type": "dict", "default": {}},
}
ADDON_SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "version": {"type": "str", "default": "default"},
    "configuration": {"type": "dict", "default": {}},
    "namespace": {"type": "str"},
    "resolve_conflicts": {"type": "str", "choices": ["none", "overwrite", "preserve"], "default": "preserve"},
    "preserve": {"type": "bool", "default": False},
    "roles": {"type": "list", "elements": "dict", "default": [], "options": ROLE_SPEC},
}

ARGUMENT_SPEC: dict[str, Any] = {
    "cluster_name": {"type": "str"},
    "kubernetes_version": {"type": "str", "required": True},
    "auto_mode": {"type": "bool", "default": True},
    "addons": {"type": "list", "elements": "dict", "default": [], "options": ADDON_SPEC},
    "workload_identity": {"type": "str", "choices": ["pod_identity", "irsa"], "default": "pod_identity"},
    "oidc_issuer": {"type": "str", "default": ""},
    "zones": {"type": "list", "elements": "str", "default": []},
    "subnet_ids": {"type": "list", "elements": "str", "default": []},
    "node_minimum": {"type": "int", "default": 2},
    "node_maximum": {"type": "int", "default": 4},
    "instance_types": {"type": "list", "elements": "str", "default": []},
    "node_revision": {"type": "str", "default": "1"},
    "node_version_rule": {"type": "str", "choices": ["refuse", "keep", "update"], "default": "refuse"},
    "node_release_version": {"type": "str"},
    "ami_type": {"type": "str", "choices": AMI_TYPES, "default": AMI_TYPES[0]},
    "node_disk_gib": {"type": "int", "default": 80},
    # The ARN of a key is no secret.
    "kms_key_arn": {"type": "str", "no_log": False},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
