# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``adopt.yml``: tags only, and an ordinary run goes on from there."""

from __future__ import annotations

from tests.platform_runs import Platform
from tests.sandbox import foreign_vpc

TAGS = {"adopt_vpc_tags": {"Name": "shop"}}


def test_a_network_found_by_its_tags_is_taken_over_and_then_managed(empty: Platform) -> None:
    platform = empty
    ec2 = platform.client("ec2")
    vpc = foreign_vpc.make(ec2)
    none = platform.playbook("dev", playbook="playbooks/adopt.yml", extra=TAGS)
    assert none.status != 0
    assert "0 VPCs in us-west-2 carry the tags" in none.output
    ec2.create_tags(Resources=[vpc.vpc_id], Tags=[{"Key": "Name", "Value": "shop"}])

    foreseen = platform.playbook("dev", playbook="playbooks/adopt.yml", check=True, extra=TAGS)
    assert (foreseen.status, foreseen.mutations) == (0, []), foreseen.output
    assert "afterwards, site.yml would" in foreseen.output
    assert f"left alone: ec2_subnet {vpc.spare_subnet}" in foreseen.output
    # The run gives the VPC a Name of ours, so from here on it is named by its id.
    done = platform.playbook("dev", playbook="playbooks/adopt.yml", extra={"adopt_vpc_id": vpc.vpc_id})
    assert done.status == 0, done.output
    assert done.actions("dev") == foreseen.actions("dev")
    assert set(done.mutations) == {"ec2:CreateTags"}

    network = platform.playbook("dev", check=True)
    assert network.status == 0, network.output
    actions = network.actions("dev")
    later = {action["action"] for action in done.hosts["dev"]["later"]}
    assert later <= set(actions)
    assert not [name for name in actions if name.startswith("create/ec2_vpc/") or name.startswith("create/ec2_subnet/")]
