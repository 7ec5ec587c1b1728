# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sandbox on which environments stand that tests destroy; each is stood up once and kept as a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.platform_runs import Platform, Run, platform

#: The environments of the account, in an order in which they may be stood up.
PAIR = ("prod", "dr")
REGIONS = {"dev": "us-west-2", "staging": "us-west-2", "prod": "us-west-2", "dr": "us-east-1"}
#: Regions in which any environment may have something.
EVERYWHERE = ("us-west-2", "us-east-1", "us-east-2")
QUICK = {"platform_wait_delay_seconds": 0.2}


class Doomed(Platform):
    """Environments, and the playbook that takes them down."""

    def destroy(self, name: str, *, check: bool = False, **extra: Any) -> Run:
        """Run the playbook, confirmed, and with protections lifted unless ``extra`` says otherwise."""
        asked = {**QUICK, "confirm": name, "destroy_protected": True, **extra}
        return self.playbook(name, check=check, playbook="playbooks/destroy.yml", extra=asked)

    def standing(self, name: str) -> list[str]:
        """Return everything of an environment that stands and is not kept on purpose, by no code of ours."""
        found = [row for region in EVERYWHERE for row in self._tagged(name, region)]
        found += [f"role {role}" for role in self._roles(name)]
        budgets = self.client("budgets").describe_budgets(AccountId="123456789012")["Budgets"]
        found += [row["BudgetName"] for row in budgets if row["BudgetName"].startswith(f"pipeops-{name}-")]
        zones = self.client("route53").list_hosted_zones()["HostedZones"]
        return found + [zone["Name"] for zone in zones if zone["CallerReference"].startswith(f"pipeops-{name}/")]

    def _tagged(self, name: str, region: str) -> Iterator[str]:
        client = self.client("resourcegroupstaggingapi", region)
        filters = [{"Key": "pipeops:environment", "Values": [name]}]
        for page in client.get_paginator("get_resources").paginate(TagFilters=filters):
            arns = [row["ResourceARN"] for row in page["ResourceTagMappingList"]]
            yield from (arn for arn in arns if not self._is_kept(arn, region))

    def _is_kept(self, arn: str, region: str) -> bool:
        if ":snapshot:" in arn or ":auto-backup:" in arn:
            return True
        if ":kms:" in arn:
            keys = self.client("kms", region)
            alias = keys.list_aliases(KeyId=arn)["Aliases"]
            # The key of the database is that of the snapshot, which is kept.
            of_database = any(row["AliasName"].endswith("-rds") for row in alias)
            return of_database or keys.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion"
        if ":secretsmanager:" in arn:
            return "DeletedDate" in self.client("secretsmanager", region).describe_secret(SecretId=arn)
        if ":natgateway/" in arn:
            wanted = [{"Name": "nat-gateway-id", "Values": [arn.rpartition("/")[2]]}]
            gateways = self.client("ec2", region).describe_nat_gateways(Filter=wanted)["NatGateways"]
            return all(gateway["State"] == "deleted" for gateway in gateways)
        return False

    def _roles(self, name: str) -> list[str]:
        roles = self.client("iam").list_roles()["Roles"]
        return [role["RoleName"] for role in roles if role["RoleName"].startswith(f"pipeops-{name}-")]


@pytest.fixture(scope="session")
def _server() -> Iterator[Doomed]:
    with platform() as stand:
        yield Doomed(stand.url)


@pytest.fixture(scope="session")
def _stood_up(_server: Doomed) -> Callable[[str], str]:
    """Return what stands environments up, once for each set of them, and tells the name of their snapshot."""
    known: set[str] = set()

    def stand_up(names: str) -> str:
        if names not in known:
            _server.begin()
            first = _server.playbook(*names.split("-"), extra=QUICK)
            assert first.status == 0, first.output[-4000:]
            _server.control("POST", "snapshot", name=names)
            known.add(names)
        return names

    return stand_up


@pytest.fixture
def stand(_server: Doomed, _stood_up: Callable[[str], str]) -> Callable[[str], Doomed]:
    """Return what brings environments back as they were stood up, e.g. ``prod-dr``."""

    def back(names: str) -> Doomed:
        snapshot = _stood_up(names)
        _server.begin()
        _server.control("DELETE", "faults")
        _server.control("POST", "restore", name=snapshot)
        return _server

    return back
