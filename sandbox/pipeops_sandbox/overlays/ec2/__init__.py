"""EC2: networks with AWS's states and refusals."""

from __future__ import annotations

from typing import Any

from ...overlay import install
from .addresses import Addresses
from .endpoints import Endpoints, install_endpoint_services, settle_endpoints
from .flow_logs import FlowLogs
from .guards import Deletions, NetworkAcls, Routes, Subnets
from .launch_templates import LaunchTemplates
from .nat import NatGateways, settle_nat_gateways
from .security_groups import SecurityGroups, install_rule_description
from .tags import Tags, install_tag_index
from .visibility import noting_new, without_new


class Ec2(
    NatGateways, Addresses, FlowLogs, Endpoints, Deletions, Routes, NetworkAcls, Subnets, SecurityGroups,
    LaunchTemplates, Tags,
):  # fmt: skip
    """All parts of the overlay in front of moto's EC2."""

    def prepare(self, action: str) -> None:
        """Let time pass for what has states, and check the tags that a creation gives."""
        settle_nat_gateways(self.backend)
        settle_endpoints(self.backend)
        self.check_tag_specifications(action)

    def call_action(self) -> Any:
        """Answer a call; reads do not see what is too new."""
        action = self._get_action() or ""
        if action.startswith("Describe"):
            with without_new(self.backend):
                return super().call_action()
        with noting_new(self.backend, action):
            return super().call_action()


def register() -> None:
    """Put this overlay in front of moto's EC2."""
    install_tag_index()
    install_rule_description()
    install_endpoint_services()
    install("ec2", Ec2)
