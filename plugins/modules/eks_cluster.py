#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_cluster
short_description: Manage the EKS cluster of an environment
version_added: 1.0.0
description:
  - Brings an EKS cluster, the IAM roles and the log group that it needs, the access entries that let people and nodes
    in, and the AWS roles of its workloads to their wanted state in one task.
  - The cluster is found by its name, everything in it by its owner tags. Access entries and Pod Identity associations
    that EKS, its add-ons or people made are left alone, unless one is wanted for the same principal or service account;
    then it is taken over.
  - EKS takes one kind of change at a time. Several are sent one after the other, each when the one before is carried
    out, so a task that changes a standing cluster waits for that also with O(wait=false).
  - The identity that makes the cluster gets no rights in it by that. Name it in O(access_entries) if it is to have any.
  - O(version) is not changed here. C(playbooks/upgrade_cluster.yml) does that, one minor at a time.
options:
  cluster_name:
    description:
      - The name of the cluster, and the beginning of the names of its roles.
      - Taken as C(PLATFORM-ENVIRONMENT) if not set.
      - At most 56 letters, digits, hyphens and underscores.
    type: str
  version:
    description:
      - The Kubernetes version by major and minor number, e.g. V(1.36).
      - Another one than that of a standing cluster is refused.
    type: str
    required: true
  subnet_ids:
    description:
      - The subnets of the control plane's network interfaces, in at least two zones.
      - They can be swapped for others in the same zones of the same VPC only.
    type: list
    elements: str
    required: true
  security_group_ids:
    description: Security groups of these interfaces, beside the one that EKS makes; at most five. Not for nodes.
    type: list
    elements: str
    default: []
  kms_key_arn:
    description:
      - The key that encrypts Kubernetes secrets, over AWS's own encryption.
      - A cluster without one can be given one, which cannot be undone; one that stands is never changed.
    type: str
  ebs_kms_key_arn:
    description: The key of volumes and node disks, which the cluster's role is allowed to use then.
    type: str
  endpoint_public_access:
    description: Whether the API server is reached from the internet, by O(public_access_cidrs).
    type: bool
    default: false
  endpoint_private_access:
    description: Whether the API server is reached from the VPC without leaving it.
    type: bool
    default: true
  public_access_cidrs:
    description:
      - The public ranges from which the API server is reached. Needed with O(endpoint_public_access).
      - With O(endpoint_private_access=false) nodes need theirs in it too.
    type: list
    elements: str
    default: []
  service_ipv4_cidr:
    description:
      - The range of Kubernetes services, V(/12) to V(/24) of a private range outside of the VPC.
      - It is set for good when the cluster is made.
    type: str
    default: 172.20.0.0/16
  log_types:
    description: The logs of the control plane that are written to the log group C(/aws/eks/CLUSTER/cluster).
    type: list
    elements: str
    choices: [api, audit, authenticator, controllerManager, scheduler]
    default: [api, audit, authenticator, controllerManager, scheduler]
  log_retention_days:
    description:
      - Days that logs are kept, one of the values that CloudWatch Logs takes; V(0) is for ever.
      - A shorter time deletes what is older.
    type: int
    default: 90
  support_type:
    description:
      - What happens when standard support of a version ends, 14 months after EKS began to offer it.
      - V(STANDARD) lets AWS upgrade the cluster then. V(EXTENDED) keeps it for 12 months more, at six times the price.
    type: str
    choices: [STANDARD, EXTENDED]
    default: STANDARD
  deletion_protection:
    description:
      - Whether EKS refuses to delete the cluster.
      - Must be V(false) with O(state=absent), which ends the protection before it deletes.
    type: bool
    default: true
  zonal_shift:
    description: Whether AWS may lead traffic away from a failing zone, and people may.
    type: bool
    default: false
  auto_mode:
    description:
      - Whether EKS runs nodes, volumes and load balancers (EKS Auto Mode).
      - Switched off, all Auto Mode nodes and load balancers are removed, and volumes stay. The roles stay too.
    type: bool
    default: true
  builtin_node_pools:
    description:
      - EKS's own node pools that are on. They have no limits and cannot be edited, so none are by default.
      - Without them nodes come from NodePools whose NodeClass names the role RV(outputs.node_role_name).
    type: list
    elements: str
    choices: [general-purpose, system]
    default: []
  access_entries:
    description:
      - Who may do what in the cluster. Nodes of Auto Mode have theirs without being named.
      - One that is not listed any more is removed if it carries our owner tags.
    type: list
    elements: dict
    default: []
    suboptions:
      principal_arn:
        description: The ARN of an IAM role or user; not that of a session.
        type: str
        required: true
      name:
        description:
          - What the entry is called in plans and in its tags. Taken from O(access_entries[].principal_arn) without
            account if not set, e.g. V(role/admin).
          - Set it where the ARN is that of a role that a dry run has yet to make.
        type: str
      type:
        description: V(STANDARD) for people, pipelines and workloads; the others are for nodes.
        type: str
        choices: [STANDARD, EC2, EC2_LINUX, EC2_WINDOWS, FARGATE_LINUX, HYBRID_LINUX, HYPERPOD_LINUX]
        default: STANDARD
      groups:
        description: Kubernetes groups that the principal is in, for type V(STANDARD).
        type: list
        elements: str
        default: []
      policies:
        description: The access policies of the principal. Others that it has are taken away.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: The name of an EKS access policy, e.g. V(AmazonEKSClusterAdminPolicy).
            type: str
          arn:
            description: Its ARN, instead of O(access_entries[].policies[].name). One of them is needed.
            type: str
          namespaces:
            description: The namespaces that it holds in, V(*) at the end of a name for any ending. All if empty.
            type: list
            elements: str
            default: []
  workload_identity:
    description:
      - How pods get the roles of O(workload_roles).
      - V(pod_identity) is EKS Pod Identity, which Auto Mode brings along.
      - V(irsa) is IAM roles for service accounts, with an IAM OIDC provider for the cluster. The service account needs
        the annotation C(eks.amazonaws.com/role-arn).
    type: str
    choices: [pod_identity, irsa]
    default: pod_identity
  workload_roles:
    description:
      - The AWS roles of workloads, each trusted by one service account of this cluster only.
      - They lie under the IAM path C(/PLATFORM/ENVIRONMENT/workloads/). One that is not listed any more is removed.
    type: list
    elements: dict
    default: []
    suboptions:
      namespace:
        description: The Kubernetes namespace of the service account. It does not have to exist yet.
        type: str
        required: true
      service_account:
        description: The Kubernetes service account. It does not have to exist yet.
        type: str
        required: true
      role_name:
        description: The name of the role. Taken as C(CLUSTER-NAMESPACE-SERVICE_ACCOUNT) if not set.
        type: str
      managed_policies:
        description: ARNs of IAM policies, or names of those that AWS keeps, e.g. V(CloudWatchAgentServerPolicy).
        type: list
        elements: str
        default: []
      inline_policies:
        description: IAM policy documents by name.
        type: dict
        default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.adoption
  - pipeops.platform.layer
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Manage the cluster of prod
  pipeops.platform.eks_cluster:
    region: us-west-2
    environment: prod
    version: "1.36"
    subnet_ids: [subnet-0a1b2c3d4e5f60711, subnet-0a1b2c3d4e5f60712, subnet-0a1b2c3d4e5f60713]
    kms_key_arn: arn:aws:kms:us-west-2:123456789012:key/1c2d3e4f-0000-4000-8000-000000000001
    ebs_kms_key_arn: arn:aws:kms:us-west-2:123456789012:key/1c2d3e4f-0000-4000-8000-000000000002
    endpoint_public_access: true
    public_access_cidrs: [198.51.100.0/24]
    zonal_shift: true
    access_entries:
      - principal_arn: arn:aws:iam::123456789012:role/platform-engineers
        policies:
          - name: AmazonEKSClusterAdminPolicy
      - principal_arn: arn:aws:iam::123456789012:role/developers
        policies:
          - name: AmazonEKSViewPolicy
          - name: AmazonEKSEditPolicy
            namespaces: [sample-app, web-frontend]
    workload_roles:
      - namespace: external-secrets
        service_account: external-secrets
        inline_policies:
          read:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: [secretsmanager:GetSecretValue, secretsmanager:DescribeSecret]
                Resource: arn:aws:secretsmanager:us-west-2:123456789012:secret:pipeops-prod-*
      - namespace: amazon-cloudwatch
        service_account: cloudwatch-agent
        managed_policies: [CloudWatchAgentServerPolicy]

- name: Start a cluster, and do other things meanwhile
  pipeops.platform.eks_cluster:
    region: us-west-2
    environment: dev
    version: "1.36"
    subnet_ids: [subnet-0a1b2c3d4e5f60721, subnet-0a1b2c3d4e5f60722]
    wait: false
  register: started

- name: Finish it
  pipeops.platform.eks_cluster:
    region: us-west-2
    environment: dev
    version: "1.36"
    subnet_ids: [subnet-0a1b2c3d4e5f60721, subnet-0a1b2c3d4e5f60722]
    started: "{{ started }}"

- name: Remove it, although it is protected
  pipeops.platform.eks_cluster:
    region: us-west-2
    environment: dev
    version: "1.36"
    subnet_ids: [subnet-0a1b2c3d4e5f60721, subnet-0a1b2c3d4e5f60722]
    deletion_protection: false
    state: absent
"""

RETURN = r"""
outputs:
  description: What other roles need. Values that AWS has not given out yet are placeholders.
  returned: unless O(state=absent)
  type: dict
  contains:
    cluster_name:
      description: The name of the cluster.
      type: str
      sample: pipeops-prod
    arn:
      description: The ARN of the cluster.
      type: str
      sample: arn:aws:eks:us-west-2:123456789012:cluster/pipeops-prod
    endpoint:
      description: The URL of the API server.
      type: str
      sample: https://0123456789ABCDEF0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com
    certificate_authority:
      description: The certificates that the API server is trusted by, base64 of PEM.
      type: str
      sample: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==
    oidc_issuer:
      description: The issuer of the tokens of service accounts.
      type: str
      sample: https://oidc.eks.us-west-2.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF
    cluster_security_group_id:
      description: The security group that EKS made for the control plane and the nodes.
      type: str
      sample: sg-0a1b2c3d4e5f60718
    version:
      description: The Kubernetes version.
      type: str
      sample: "1.36"
    platform_version:
      description: EKS's own version of the control plane.
      type: str
      sample: eks.4
    cluster_role_arn:
      description: The role that EKS works with.
      type: str
      sample: arn:aws:iam::123456789012:role/pipeops-prod-cluster
    node_role_name:
      description: The role of Auto Mode nodes, as a NodeClass names it.
      type: str
      sample: pipeops-prod-node
    node_role_arn:
      description: Its ARN.
      type: str
      sample: arn:aws:iam::123456789012:role/pipeops-prod-node
    log_group:
      description: The log group of the control plane.
      type: str
      sample: /aws/eks/pipeops-prod/cluster
    workload_role_arns:
      description: The role of each workload, by C(NAMESPACE/SERVICE_ACCOUNT).
      type: dict
      sample:
        external-secrets/external-secrets: >-
          arn:aws:iam::123456789012:role/pipeops/prod/workloads/pipeops-prod-external-secrets-external-secrets
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.adoption import STATE_SPEC
from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.eks_cluster import LAYER

LOG_TYPES = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
ENTRY_TYPES = ["STANDARD", "EC2", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX", "HYPERPOD_LINUX"]
POLICY_SPEC = {
    "name": {"type": "str"},
    "arn": {"type": "str"},
    "namespaces": {"type": "list", "elements": "str", "default": []},
}
ENTRY_SPEC = {
    "principal_arn": {"type": "str", "required": True},
    "name": {"type": "str"},
    "type": {"type": "str", "choices": ENTRY_TYPES, "default": "STANDARD"},
    "groups": {"type": "list", "elements": "str", "default": []},
    "policies": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": POLICY_SPEC,
    },
}
WORKLOAD_SPEC = {
    "namespace": {"type": "str", "required": True},
    "service_account": {"type": "str", "required": True},
    "role_name": {"type": "str"},
    "managed_policies": {"type": "list", "elements": "str", "default": []},
    "inline_policies": {"type": "dict", "default": {}},
}

ARGUMENT_SPEC = {
    "state": STATE_SPEC,
    "cluster_name": {"type": "str"},
    "version": {"type": "str", "required": True},
    "subnet_ids": {"type": "list", "elements": "str", "required": True},
    "security_group_ids": {"type": "list", "elements": "str", "default": []},
    # The ARN of a key is no secret.
    "kms_key_arn": {"type": "str", "no_log": False},
    "ebs_kms_key_arn": {"type": "str", "no_log": False},
    "endpoint_public_access": {"type": "bool", "default": False},
    "endpoint_private_access": {"type": "bool", "default": True},
    "public_access_cidrs": {"type": "list", "elements": "str", "default": []},
    "service_ipv4_cidr": {"type": "str", "default": "172.20.0.0/16"},
    "log_types": {"type": "list", "elements": "str", "choices": LOG_TYPES, "default": LOG_TYPES},
    "log_retention_days": {"type": "int", "default": 90},
    "support_type": {"type": "str", "choices": ["STANDARD", "EXTENDED"], "default": "STANDARD"},
    "deletion_protection": {"type": "bool", "default": True},
    "zonal_shift": {"type": "bool", "default": False},
    "auto_mode": {"type": "bool", "default": True},
    "builtin_node_pools": {
        "type": "list",
        "elements": "str",
        "choices": ["general-purpose", "system"],
        "default": [],
    },
    "access_entries": {"type": "list", "elements": "dict", "default": [], "options": ENTRY_SPEC},
    "workload_identity": {"type": "str", "choices": ["pod_identity", "irsa"], "default": "pod_identity"},
    "workload_roles": {"type": "list", "elements": "dict", "default": [], "options": WORKLOAD_SPEC},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
