"""Security group rules: all or nothing, and answers with every rule."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule

from ...errors import AwsError
from .base import Ec2Base


def _description(rule: SecurityGroupRule) -> str | None:
    """A rule's description, also where it refers to a group: moto knows that of CIDR rules only."""
    return rule.ip_range.get("Description") or rule.source_group.get("Description")


def install_rule_description() -> None:
    """Let rules that refer to a group show their description."""
    SecurityGroupRule.description = property(_description)  # type: ignore[method-assign,assignment]


class SecurityGroups(Ec2Base):
    """The rule operations."""

    def authorize_security_group_ingress(self) -> ActionResult:
        """Add inbound rules."""
        return self._change("ingress_rules", super().authorize_security_group_ingress)

    def authorize_security_group_egress(self) -> ActionResult:
        """Add outbound rules."""
        return self._change("egress_rules", super().authorize_security_group_egress)

    def revoke_security_group_ingress(self) -> ActionResult:
        """Remove inbound rules."""
        return self._change("ingress_rules", super().revoke_security_group_ingress)

    def revoke_security_group_egress(self) -> ActionResult:
        """Remove outbound rules."""
        return self._change("egress_rules", super().revoke_security_group_egress)

    def _change(self, direction: str, apply: Any) -> ActionResult:
        """Apply all permissions of a request or none, and answer with every rule that came or went."""
        group = self._group()
        before: list[SecurityGroupRule] = list(getattr(group, direction))
        try:
            apply()
        except Exception:
            setattr(group, direction, before)
            raise
        after: list[SecurityGroupRule] = list(getattr(group, direction))
        old, new = {rule.id for rule in before}, {rule.id for rule in after}
        gone = [rule for rule in before if rule.id not in new]
        for rule in gone:
            self.backend.tags.pop(rule.id, None)
        added = [rule for rule in after if rule.id not in old]
        return ActionResult(
            {"Return": True, "SecurityGroupRules": added, "RevokedSecurityGroupRules": [_flat(rule) for rule in gone]}
        )

    def _group(self) -> SecurityGroup:
        name = self._get_param("GroupId") or self.required("GroupName")
        group = self.backend.get_security_group_by_name_or_id(name)
        if group is None:
            raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
        return group

    def describe_security_group_rules(self) -> ActionResult:
        """Return rules; a filter that EC2 does not have is refused."""
        for name in self._filters_from_querystring():
            if name not in ("group-id", "security-group-rule-id") and not name.startswith("tag"):
                raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
        return super().describe_security_group_rules()


def _flat(rule: SecurityGroupRule) -> dict[str, Any]:
    """A revoked rule as the answer shows it."""
    return {
        "SecurityGroupRuleId": rule.id,
        "GroupId": rule.group_id,
        "IsEgress": rule.is_egress,
        "IpProtocol": rule.ip_protocol,
        "FromPort": -1 if rule.from_port is None else rule.from_port,
        "ToPort": -1 if rule.to_port is None else rule.to_port,
        "CidrIpv4": rule.cidr_ipv4,
        "CidrIpv6": rule.cidr_ipv6,
        "PrefixListId": rule.prefix_list_id,
        "ReferencedGroupId": rule.source_group.get("GroupId"),
        "Description": _description(rule),
    }
