#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vpc_network
short_description: Manage the network of an environment
version_added: 1.0.0
description:
  - Brings a VPC with public, private and database subnets in each zone, and all that lies around them, to its wanted
    state in one task. That is the internet gateway, NAT, route tables, network ACLs, security groups, VPC endpoints
    and flow logs.
  - The database tier has no route to the internet. A default route that somebody gave it is removed.
  - Each tier has one route table and one network ACL, and subnets are moved to them in one step. What is allowed is
    added before what is not any more is removed, so traffic that is allowed before and after a change is never cut.
  - Everything is found by its owner tags. Subnets and the VPC are never removed unasked; those that are ours but not
    wanted any more are returned as RV(ignore:unmanaged).
  - The VPC's default security group is kept without rules, since whatever is given no group falls into it.
options:
  cidr:
    description:
      - The VPC's first range, V(/16) to V(/28).
      - It cannot be changed later; O(secondary_cidrs) can be added.
    type: str
    required: true
  vpc_id:
    description: The VPC to take over. Needed for O(state=adopted), and for nothing else.
    type: str
  secondary_cidrs:
    description:
      - Further ranges of the VPC.
      - One that is not listed any more is taken away, which AWS refuses while a subnet lies in it.
    type: list
    elements: str
    default: []
  zones:
    description:
      - The availability zones by name, two to six, in the order in which subnets are cut out.
      - Subnets of a zone that is not listed any more stay, and are returned as RV(ignore:unmanaged).
    type: list
    elements: str
    required: true
  public_subnets:
    description:
      - The ranges of the public tier, one for each of O(zones) in their order.
      - If it is empty, O(cidr) is split, which has to be V(/16) to V(/20) then. With two or three zones, a private
        subnet is a quarter of it; with four to six, an eighth. Public and database subnets are a 64th each, cut out of
        the last quarter. Public ones begin at its start; database ones after a quarter of it, or with four to six
        zones in its middle.
      - With three zones and V(10.0.0.0/16) that is V(10.0.0.0/18), V(10.0.64.0/18), V(10.0.128.0/18) for private,
        V(10.0.192.0/22), V(10.0.196.0/22), V(10.0.200.0/22) for public and V(10.0.208.0/22), V(10.0.212.0/22),
        V(10.0.216.0/22) for database subnets.
      - A fourth zone changes the split, which AWS cannot follow; give the lists then.
    type: list
    elements: str
    default: []
  private_subnets:
    description: The ranges of the private tier, as in O(public_subnets).
    type: list
    elements: str
    default: []
  database_subnets:
    description: The ranges of the database tier, as in O(public_subnets).
    type: list
    elements: str
    default: []
  nat:
    description:
      - How the private tier reaches the internet.
      - V(zonal_single) is one NAT gateway with an Elastic IP in the first of O(zones). If that zone fails, the way out
        is lost.
      - V(regional) is one NAT gateway that AWS spreads over the zones. It is billed for each zone that it serves, and
        AWS may add public addresses to it.
      - V(none) leaves endpoints as the only way out.
      - On a change, the new gateway is made and the route moved before the old one is removed.
    type: str
    choices: [zonal_single, regional, none]
    default: zonal_single
  flow_logs:
    description:
      - The record of the VPC's traffic in the log group C(/PLATFORM/ENVIRONMENT/vpc-flow-logs).
      - AWS cannot change a flow log, so a change makes a new one. The log group stays.
    type: dict
    suboptions:
      enabled:
        description: Whether traffic is recorded.
        type: bool
        default: true
      traffic_type:
        description: Which traffic is recorded.
        type: str
        choices: [ACCEPT, REJECT, ALL]
        default: ALL
      retention_days:
        description:
          - Days that records are kept, one of the values that CloudWatch Logs takes; V(0) is for ever.
          - A shorter time deletes what is older.
        type: int
        default: 30
      aggregation_seconds:
        description: The longest time over which the packets of a flow are added up to one record.
        type: int
        choices: [60, 600]
        default: 600
  gateway_endpoints:
    description: Services that the private and the database tier reach by a gateway endpoint, which is free.
    type: list
    elements: str
    choices: [s3, dynamodb]
    default: [s3, dynamodb]
  interface_endpoints:
    description:
      - Services that have an interface endpoint in each private subnet, e.g. V(ecr.api) or V(secretsmanager).
      - Their usual names lead to the endpoint from inside of the VPC. They are billed by hour and zone.
    type: list
    elements: str
    default: []
  database_port:
    description:
      - The port of the databases, V(1150) (the lowest that RDS takes) to V(32767).
      - Above that, the database tier's network ACL lets in replies to the tier's own requests.
    type: int
    default: 5432
  alb_ingress_cidrs:
    description: The ranges from which load balancers are reached on port 443.
    type: list
    elements: str
    default: [0.0.0.0/0]
  peer_database_cidrs:
    description:
      - Ranges outside of the VPC from which the databases are reached, and whose databases are reached, on
        O(database_port), e.g. those of a peered VPC.
      - Each takes two entries a direction of the database tier's network ACL, which holds 19 (AWS's quota of 20 counts
        its own last denial).
    type: list
    elements: str
    default: []
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
- name: Manage the network of prod
  pipeops.platform.vpc_network:
    region: us-west-2
    environment: prod
    cidr: 10.0.0.0/16
    zones: [us-west-2a, us-west-2b, us-west-2c]

- name: Manage a network that survives the loss of a zone, and reaches AWS by endpoints
  pipeops.platform.vpc_network:
    region: us-east-1
    environment: dr
    cidr: 10.1.0.0/16
    zones: [us-east-1a, us-east-1b, us-east-1c]
    nat: regional
    interface_endpoints: [ecr.api, ecr.dkr, sts]
    peer_database_cidrs: [10.0.208.0/20]
    flow_logs:
      traffic_type: REJECT
      retention_days: 90

- name: Take over a network that others made, as far as it is like this
  pipeops.platform.vpc_network:
    region: us-west-2
    environment: prod
    cidr: 10.0.0.0/16
    zones: [us-west-2a, us-west-2b, us-west-2c]
    state: adopted
    vpc_id: vpc-0a1b2c3d4e5f60718

- name: Start a network, and do other things meanwhile
  pipeops.platform.vpc_network:
    region: us-west-2
    environment: staging
    cidr: 10.0.0.0/16
    zones: [us-west-2a, us-west-2b]
    wait: false
  register: started

- name: Finish it
  pipeops.platform.vpc_network:
    region: us-west-2
    environment: staging
    cidr: 10.0.0.0/16
    zones: [us-west-2a, us-west-2b]
    started: "{{ started }}"
"""

RETURN = r"""
outputs:
  description: What other roles need. Identifiers that AWS has not given out yet are placeholders in check mode.
  returned: unless O(state=absent)
  type: dict
  contains:
    vpc_id:
      description: The VPC.
      type: str
      sample: vpc-0a1b2c3d4e5f60718
    vpc_cidr:
      description: The VPC's first range.
      type: str
      sample: 10.0.0.0/16
    zones:
      description: The availability zones, in the order of all lists here.
      type: list
      elements: str
      sample: [us-west-2a, us-west-2b, us-west-2c]
    subnet_ids:
      description: The subnets of each tier, C(public), C(private) and C(database), in the order of the zones.
      type: dict
      sample: {"public": ["subnet-0a"], "private": ["subnet-0b"], "database": ["subnet-0c"]}
    security_group_ids:
      description:
        - The groups C(nodes), C(database), C(alb) and C(endpoints).
        - C(endpoints) is null without O(interface_endpoints).
      type: dict
      sample: {"nodes": "sg-0a", "database": "sg-0b", "alb": "sg-0c", "endpoints": null}
    route_table_ids:
      description: The route table of each tier.
      type: dict
      sample: {"public": "rtb-0a", "private": "rtb-0b", "database": "rtb-0c"}
    nat_gateway_id:
      description: The NAT gateway; null with O(nat=none).
      type: str
      sample: nat-0a1b2c3d4e5f60718
    nat_public_ips:
      description: The addresses from which the private tier is seen on the internet.
      type: list
      elements: str
      sample: [203.0.113.10]
    flow_log_group:
      description: The log group of the flow logs; null without them.
      type: str
      sample: /pipeops/prod/vpc-flow-logs
left_alone:
  description: What lies in the VPC and stays as it is, each with C(kind), C(id) and C(reason).
  returned: when O(state=adopted)
  type: list
  elements: dict
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.adoption import STATE_SPEC
from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.vpc_network import LAYER

FLOW_LOGS_SPEC = {
    "enabled": {"type": "bool", "default": True},
    "traffic_type": {"type": "str", "choices": ["ACCEPT", "REJECT", "ALL"], "default": "ALL"},
    "retention_days": {"type": "int", "default": 30},
    "aggregation_seconds": {"type": "int", "choices": [60, 600], "default": 600},
}
SERVICES = ["s3", "dynamodb"]
ARGUMENT_SPEC = {
    "state": STATE_SPEC,
    "vpc_id": {"type": "str"},
    "cidr": {"type": "str", "required": True},
    "secondary_cidrs": {"type": "list", "elements": "str", "default": []},
    "zones": {"type": "list", "elements": "str", "required": True},
    "public_subnets": {"type": "list", "elements": "str", "default": []},
    "private_subnets": {"type": "list", "elements": "str", "default": []},
    "database_subnets": {"type": "list", "elements": "str", "default": []},
    "nat": {"type": "str", "choices": ["zonal_single", "regional", "none"], "default": "zonal_single"},
    "flow_logs": {"type": "dict", "options": FLOW_LOGS_SPEC, "apply_defaults": True},
    "gateway_endpoints": {"type": "list", "elements": "str", "choices": SERVICES, "default": SERVICES},
    "interface_endpoints": {"type": "list", "elements": "str", "default": []},
    "database_port": {"type": "int", "default": 5432},
    "alb_ingress_cidrs": {"type": "list", "elements": "str", "default": ["0.0.0.0/0"]},
    "peer_database_cidrs": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
