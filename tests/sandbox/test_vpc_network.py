# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine import executor
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError, PlanRefused
from pipeops_sandbox.faults import Rule
from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account, prove_converges, prove_removes
from tests.sandbox.vpc_drifts import DRIFTS, ROUTE, acl_of, internet, move_to_public_acl, move_to_public_table

ZONES = ["us-west-2a", "us-west-2b", "us-west-2c"]
NET: dict[str, Any] = {"cidr": "10.0.0.0/16", "zones": ZONES, "account_id": "123456789012"}
#: Model seconds in each real second, where a test needs states that last.
FAST = 100


def actions(result: dict[str, Any]) -> list[str]:
    return [action["action"] for action in result["actions"]]


def announced(account: Account, **options: Any) -> list[str]:
    """Return what a dry run announces, having seen that it changes nothing."""
    result, calls = account.run_watched("vpc_network", check=True, **{**NET, **options})
    assert calls == []
    return actions(result)


def prove_change(account: Account, expected: list[str], **options: Any) -> dict[str, Any]:
    """Announce a change, make it, and find nothing left to do."""
    assert announced(account, **options) == expected
    changed = account.run("vpc_network", **{**NET, **options})
    assert actions(changed) == expected
    assert actions(account.run("vpc_network", **{**NET, **options})) == []
    return changed


def tagged(name: str, kind: str) -> list[dict[str, Any]]:
    """Return the owner tags of a resource as a creating call takes them."""
    tags = {
        "pipeops:platform": "pipeops",
        "pipeops:environment": "prod",
        "pipeops:component": f"network/{name}",
        "pipeops:managed-by": "pipeops.platform",
    }
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]


def everything(account: Account) -> Counter[str]:
    """Count what of ours stands, whoever made it."""
    ec2 = account.client("ec2")
    ours = [{"Name": "tag:pipeops:environment", "Values": ["prod"]}]
    gateways = ec2.describe_nat_gateways(Filter=ours)["NatGateways"]
    return Counter(
        {
            "vpc": len(ec2.describe_vpcs(Filters=ours)["Vpcs"]),
            "subnet": len(ec2.describe_subnets(Filters=ours)["Subnets"]),
            "igw": len(ec2.describe_internet_gateways(Filters=ours)["InternetGateways"]),
            "table": len(ec2.describe_route_tables(Filters=ours)["RouteTables"]),
            "acl": len(ec2.describe_network_acls(Filters=ours)["NetworkAcls"]),
            "group": len(ec2.describe_security_groups(Filters=ours)["SecurityGroups"]),
            "endpoint": len(ec2.describe_vpc_endpoints(Filters=ours)["VpcEndpoints"]),
            "log": len(ec2.describe_flow_logs(Filter=ours)["FlowLogs"]),
            "address": len(ec2.describe_addresses()["Addresses"]),
            "nat": len([one for one in gateways if one["State"] in ("pending", "available")]),
        }
    )


WHOLE = Counter(vpc=1, subnet=9, igw=1, table=3, acl=3, group=3, endpoint=2, log=1, address=1, nat=1)


def test_a_network_converges_and_goes(account: Account) -> None:
    outputs = prove_converges(account, "vpc_network", **NET)["outputs"]
    assert set(outputs) == {
        *("vpc_id", "vpc_cidr", "zones", "subnet_ids", "security_group_ids", "route_table_ids"),
        *("nat_gateway_id", "nat_public_ips", "flow_log_group"),
    }
    subnets = account.client("ec2").describe_subnets(SubnetIds=outputs["subnet_ids"]["database"])["Subnets"]
    by_id = {one["SubnetId"]: (one["AvailabilityZone"], one["CidrBlock"]) for one in subnets}
    assert [by_id[one] for one in outputs["subnet_ids"]["database"]] == list(
        zip(ZONES, ["10.0.208.0/22", "10.0.212.0/22", "10.0.216.0/22"], strict=True)
    )
    assert everything(account) == WHOLE
    prove_removes(account, "vpc_network", **NET)
    assert everything(account).total() == 0


def test_every_option_at_once_converges_and_goes(account: Account) -> None:
    options = {
        **NET,
        "nat": "regional",
        "secondary_cidrs": ["100.64.0.0/16"],
        "interface_endpoints": ["sts", "ecr.api"],
        "peer_database_cidrs": ["10.1.0.0/16"],
        "alb_ingress_cidrs": ["198.51.100.0/24", "203.0.113.0/24"],
        "flow_logs": {"traffic_type": "REJECT", "aggregation_seconds": 60, "retention_days": 90},
        "tags": {"team": "platform"},
    }
    outputs = prove_converges(account, "vpc_network", **options)["outputs"]
    assert len(outputs["nat_public_ips"]) == len(ZONES)
    assert outputs["security_group_ids"]["endpoints"].startswith("sg-")
    prove_removes(account, "vpc_network", **options)
    assert everything(account).total() == 0


def test_a_converged_run_takes_few_reads(account: Account) -> None:
    account.run("vpc_network", **NET)
    before = account.journal_length()
    account.run("vpc_network", **NET)
    calls = Counter(entry.service for entry in account.sandbox.journal.entries() if entry.n > before)
    assert calls == {"ec2": 14, "iam": 4, "logs": 2}


def test_every_drift_is_found_exactly_and_healed(account: Account) -> None:
    out = account.run("vpc_network", **NET, interface_endpoints=["sts"])["outputs"]
    for number, (drift, expected) in enumerate(DRIFTS):
        drift(account.client, out)
        found = account.run("vpc_network", check=True, **NET, interface_endpoints=["sts"])
        assert actions(found) == expected, f"drift {number}"
        assert actions(account.run("vpc_network", **NET, interface_endpoints=["sts"])) == expected, f"drift {number}"
        left = account.run("vpc_network", **NET, interface_endpoints=["sts"])
        assert actions(left) == [], f"drift {number}"


def test_what_others_put_there_stays(account: Account) -> None:
    out = account.run("vpc_network", **NET)["outputs"]
    ec2 = account.client("ec2")
    subnet, table = out["subnet_ids"]["private"][0], out["route_table_ids"]["private"]
    ec2.create_tags(Resources=[subnet], Tags=[{"Key": "kubernetes.io/cluster/theirs", "Value": "shared"}])
    theirs = ec2.create_subnet(VpcId=out["vpc_id"], CidrBlock="10.0.255.0/24")["Subnet"]["SubnetId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=theirs)
    peer = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    peering = ec2.create_vpc_peering_connection(VpcId=out["vpc_id"], PeerVpcId=peer)["VpcPeeringConnection"]
    peering_id = peering["VpcPeeringConnectionId"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.9.0.0/16", VpcPeeringConnectionId=peering_id)
    assert account.mutations(lambda: account.run("vpc_network", **NET)) == []


def test_another_nat_mode_and_back(account: Account) -> None:
    zonal = account.run("vpc_network", **NET)["outputs"]
    prove_change(
        account,
        [
            "create/ec2_nat_gateway/regional",
            f"update/{ROUTE}/target",
            "delete/ec2_nat_gateway/zonal-us-west-2a",
            "delete/ec2_elastic_ip/nat-us-west-2a",
        ],
        nat="regional",
    )
    back = prove_change(
        account,
        [
            "create/ec2_elastic_ip/nat-us-west-2a",
            "create/ec2_nat_gateway/zonal-us-west-2a",
            f"update/{ROUTE}/target",
            "delete/ec2_nat_gateway/regional",
        ],
        nat="zonal_single",
    )
    assert back["outputs"]["nat_gateway_id"] not in (None, zonal["nat_gateway_id"])
    prove_change(
        account,
        [
            f"delete/{ROUTE}",
            "delete/ec2_nat_gateway/zonal-us-west-2a",
            "delete/ec2_elastic_ip/nat-us-west-2a",
        ],
        nat="none",
    )


def test_ranges_services_and_peers_come_and_go(account: Account) -> None:
    before = account.run("vpc_network", **NET)["outputs"]
    more = {
        "secondary_cidrs": ["100.64.0.0/16"],
        "interface_endpoints": ["sts"],
        "peer_database_cidrs": ["10.1.0.0/16"],
        "gateway_endpoints": ["s3"],
        "database_port": 5433,
    }
    expected = [
        "update/ec2_vpc/main/secondary_cidrs",
        "update/ec2_security_group/alb/rules",
        "create/ec2_security_group/endpoints",
        "update/ec2_security_group/database/rules",
        "create/ec2_vpc_endpoint/sts",
        *(f"update/ec2_network_acl/{tier}/entries" for tier in ("database", "private", "public")),
        "delete/ec2_vpc_endpoint/dynamodb",
    ]
    after = prove_change(account, _in_any_order(account, expected, more), **more)["outputs"]
    same = ("vpc_id", "subnet_ids", "route_table_ids", "nat_gateway_id")
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    back = account.run("vpc_network", **NET)
    assert actions(back)[-2:] == ["delete/ec2_vpc_endpoint/sts", "delete/ec2_security_group/endpoints"]
    assert not account.run("vpc_network", **NET)["changed"]


def _in_any_order(account: Account, expected: list[str], options: dict[str, Any]) -> list[str]:
    """Return the plan as it is ordered, having checked that it holds exactly what is expected."""
    planned = announced(account, **options)
    assert sorted(planned) == sorted(expected)
    return planned


def test_what_is_allowed_comes_before_what_is_not_goes(account: Account) -> None:
    account.run("vpc_network", **NET)
    options: dict[str, Any] = {**NET, "database_port": 5433}
    port = account.mutations(lambda: account.run("vpc_network", **options))
    assert _last(port, "AuthorizeSecurityGroupIngress") < port.index("ec2:RevokeSecurityGroupIngress")
    assert "ec2:DeleteNetworkAclEntry" not in port
    options |= {"peer_database_cidrs": ["10.1.0.0/16"]}
    more = account.mutations(lambda: account.run("vpc_network", **options))
    assert set(more) == {"ec2:AuthorizeSecurityGroupIngress", "ec2:CreateNetworkAclEntry"}
    options |= {"nat": "regional"}
    moved = account.mutations(lambda: account.run("vpc_network", **options))
    assert moved == ["ec2:CreateNatGateway", "ec2:ReplaceRoute", "ec2:DeleteNatGateway", "ec2:ReleaseAddress"]
    out = account.run("vpc_network", **options)["outputs"]
    move_to_public_table(account.client, out)
    move_to_public_acl(account.client, out)
    healed = account.mutations(lambda: account.run("vpc_network", **options))
    assert sorted(healed) == ["ec2:ReplaceNetworkAclAssociation", "ec2:ReplaceRouteTableAssociation"]


def test_an_acl_guards_nothing_before_it_is_whole(account: Account) -> None:
    refusal: dict[str, Any] = {"effect": "error", "code": "UnauthorizedOperation", "status": 403}
    account.sandbox.faults.add(Rule(operation="CreateNetworkAclEntry", nth=2, times=10**6, **refusal))
    with pytest.raises(EngineError, match=r"network ACL .* in us-west-2: UnauthorizedOperation"):
        account.run("vpc_network", **NET)
    acls = [acl_of(account.client("ec2"), tier) for tier in ("public", "private", "database")]
    assert [acl["Associations"] for acl in acls] == [[], [], []]
    account.sandbox.faults.clear()
    healed = actions(account.run("vpc_network", **NET))
    expected = [
        f"update/ec2_network_acl/{tier}/{name}" for tier in ("private", "public") for name in ("entries", "subnets")
    ]
    assert set(expected) <= set(healed)
    assert everything(account) == WHOLE


def _last(calls: list[str], operation: str) -> int:
    return max(n for n, call in enumerate(calls) if call == f"ec2:{operation}")


def test_another_flow_log_replaces_the_old_one(account: Account) -> None:
    account.run("vpc_network", **NET)
    prove_change(account, ["replace/ec2_flow_log/vpc"], flow_logs={"traffic_type": "REJECT"})
    prove_change(
        account,
        ["update/log_group/vpc-flow-logs/retention_days"],
        flow_logs={"traffic_type": "REJECT", "retention_days": 90},
    )
    prove_change(account, ["delete/ec2_flow_log/vpc"], flow_logs={"enabled": False})


@pytest.mark.parametrize(
    "options", [{"cidr": "10.5.0.0/16"}, {"zones": ["us-west-2b", "us-west-2a", "us-west-2c"]}, {"zones": []}]
)
def test_what_cannot_be_is_refused_without_a_write(account: Account, options: dict[str, Any]) -> None:
    account.run("vpc_network", **NET)

    def refused() -> None:
        with pytest.raises(PlanRefused, match="Refused, nothing was changed"):
            account.run("vpc_network", **{**NET, **options})

    assert account.mutations(refused) == []


def test_start_early_and_wait_late(account: Account) -> None:
    runtime.clock.set("aws", FAST)
    predicted = account.run("vpc_network", check=True, wait=False, **NET)
    late = account.run("vpc_network", check=True, started=predicted, **NET)
    assert actions(late) == [f"create/{ROUTE}"]
    started = account.run("vpc_network", wait=False, **NET)
    assert actions(started) == actions(predicted)
    assert not started["settled"]
    assert [action["action"] for action in started["deferred"]] == [f"create/{ROUTE}"]
    finished = account.run("vpc_network", started=started, **NET)
    assert actions(finished) == [f"create/{ROUTE}"]
    assert finished["settled"]
    assert not account.run("vpc_network", **NET)["changed"]


def test_states_that_last_are_waited_for(account: Account) -> None:
    runtime.clock.set("aws", FAST)
    prove_converges(account, "vpc_network", **NET, interface_endpoints=["sts"])
    out = account.run("vpc_network", **NET, interface_endpoints=["sts"])["outputs"]
    account.client("ec2").delete_nat_gateway(NatGatewayId=out["nat_gateway_id"])
    # The address is held until the old gateway is gone; a new one would fail before that.
    healed = account.run("vpc_network", **NET, interface_endpoints=["sts"])
    assert actions(healed) == ["create/ec2_nat_gateway/zonal-us-west-2a", f"update/{ROUTE}/target"]
    assert healed["outputs"]["nat_public_ips"] == out["nat_public_ips"]
    prove_removes(account, "vpc_network", **NET, interface_endpoints=["sts"])
    assert everything(account).total() == 0


def test_what_a_killed_run_left_is_taken_over(account: Account) -> None:
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("main", "vpc"))["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway(TagSpecifications=tagged("internet", "internet-gateway"))
    acl = ec2.create_network_acl(VpcId=vpc, TagSpecifications=tagged("private", "network-acl"))
    acl_id = acl["NetworkAcl"]["NetworkAclId"]
    ec2.create_network_acl_entry(
        NetworkAclId=acl_id, Egress=False, RuleNumber=100, Protocol="-1", RuleAction="allow", CidrBlock="10.0.0.0/16"
    )
    address = ec2.allocate_address(Domain="vpc", TagSpecifications=tagged("nat-us-west-2a", "elastic-ip"))
    group = ec2.create_security_group(
        GroupName="pipeops-prod-alb",
        Description="Load balancers: HTTPS from clients",
        VpcId=vpc,
        TagSpecifications=tagged("alb", "security-group"),
    )["GroupId"]
    table = ec2.create_route_table(VpcId=vpc, TagSpecifications=tagged("private", "route-table"))
    applied = prove_converges(account, "vpc_network", **NET)
    assert {
        *("update/ec2_vpc/main/dns_hostnames", "update/ec2_vpc/main/default_group_rules"),
        *("update/ec2_internet_gateway/internet/attachment", "update/ec2_route_table/private/subnets"),
        *("update/ec2_network_acl/private/entries", "update/ec2_network_acl/private/subnets"),
        "update/ec2_security_group/alb/rules",
    } <= set(actions(applied))
    out = applied["outputs"]
    assert out["vpc_id"] == vpc
    assert out["nat_public_ips"] == [address["PublicIp"]]
    assert out["security_group_ids"]["alb"] == group
    assert out["route_table_ids"]["private"] == table["RouteTable"]["RouteTableId"]
    assert gateway["InternetGateway"]["InternetGatewayId"] == internet(account.client)
    assert everything(account) == WHOLE


def test_a_run_that_is_cut_short_again_and_again_arrives(account: Account) -> None:
    faults = account.sandbox.faults
    refusal: dict[str, Any] = {"effect": "error", "mutating": True, "code": "UnauthorizedOperation", "status": 403}
    for attempt in range(40):
        # The first run gets eight writes far, the next one seven more, so that each kind of call is cut off.
        faults.add(Rule(nth=8 + attempt % 3, times=10**6, **refusal))
        try:
            account.run("vpc_network", **NET)
        except EngineError as error:
            assert "UnauthorizedOperation" in str(error)
        else:
            break
        finally:
            faults.clear()
    assert attempt > 5
    assert everything(account) == WHOLE
    assert not account.run("vpc_network", **NET)["changed"]


def test_a_storm_of_throttling_and_failures_is_weathered(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "VISIBLE_AFTER", 0.5)
    for seed, effect in enumerate(("throttle", "error_500", "reset")):
        account.sandbox.faults.add(Rule(effect, probability=0.07, seed=seed))
    account.run("vpc_network", **NET)
    account.sandbox.faults.clear()
    assert everything(account) == WHOLE
    assert not account.run("vpc_network", **NET)["changed"]


def test_creations_whose_answer_is_lost_are_not_repeated(account: Account) -> None:
    creations = ("Vpc", "Subnet", "InternetGateway", "RouteTable", "NetworkAcl", "SecurityGroup", "NatGateway")
    operations = [*(f"Create{kind}" for kind in creations), "CreateRoute", "CreateVpcEndpoint", "CreateFlowLogs"]
    for operation in (*operations, "AllocateAddress"):
        account.sandbox.faults.add(Rule("reset_after", operation=operation, nth=1))
    account.run("vpc_network", **NET)
    assert {rule.fired for rule in account.sandbox.faults.rules()} == {1}
    account.sandbox.faults.clear()
    assert everything(account) == WHOLE
    assert not account.run("vpc_network", **NET)["changed"]


def test_two_of_one_are_named_and_nothing_is_done(account: Account) -> None:
    account.run("vpc_network", **NET)
    double = account.client("ec2").allocate_address(
        Domain="vpc", TagSpecifications=tagged("nat-us-west-2a", "elastic-ip")
    )

    def refused() -> None:
        with pytest.raises(EngineError, match=rf"{double['AllocationId']}.*network/nat-us-west-2a"):
            account.run("vpc_network", **NET)

    assert account.mutations(refused) == []


def test_environments_and_regions_do_not_see_each_other(account: Account) -> None:
    account.run("vpc_network", **NET)
    staging = account.run("vpc_network", **NET, environment="staging")
    east = {**NET, "cidr": "10.1.0.0/16", "zones": ["us-east-1a", "us-east-1b", "us-east-1d"]}
    account.run("vpc_network", **east, environment="dr", region="us-east-1")
    account.run("vpc_network", **NET, environment="staging", state="absent")
    assert len(actions(staging)) == 29
    assert everything(account) == WHOLE
    assert not account.run("vpc_network", **NET)["changed"]
