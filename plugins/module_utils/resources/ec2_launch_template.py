# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EC2 launch templates, each known by its name: what the instances of an Auto Scaling group are like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..engine.aws import Aws, error_code, tag_dict, tag_list
from ..engine.model import Observed, ResourceType, Scope, Update, Wanted

MISSING = frozenset({"InvalidLaunchTemplateName.NotFoundException", "InvalidLaunchTemplateId.NotFound"})


class Ec2LaunchTemplate(ResourceType):
    """A launch template. Its versions never change; another content is a new one, and the default.

    Attributes:
        name: unique in a region, so it finds the template.
        data: the content in the words of EC2's ``LaunchTemplateData``; members that are not given are left out.

    Read only: ``version``, the number of the default version.
    """

    kind = "ec2_launch_template"
    label = "launch template"
    service = "ec2"
    updates = (Update("data", ("data",)),)
    prune = True

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = aws.pages(
            "ec2",
            "describe_launch_templates",
            "LaunchTemplates",
            Filters=[{"Name": "tag:pipeops:environment", "Values": [scope.identity.environment]}],
        )
        ours = [(scope.owns(tag_dict(item.get("Tags"))), item) for item in found]
        return [_observed(aws, name, item) for name, item in ours if name]

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        tags = tag_list(wanted.tags or {})
        item = aws.client("ec2", once=True).create_launch_template(
            LaunchTemplateName=wanted.attributes["name"],
            LaunchTemplateData=wanted.attributes["data"],
            TagSpecifications=[{"ResourceType": "launch-template", "Tags": tags}],
        )["LaunchTemplate"]
        return Observed(
            self.kind,
            wanted.name,
            item["LaunchTemplateId"],
            {**wanted.attributes, "version": str(item["LatestVersionNumber"])},
            wanted.tags or {},
        )

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> Observed:
        client, data = aws.client("ec2"), wanted.attributes["data"]
        made = client.create_launch_template_version(LaunchTemplateId=observed.id, LaunchTemplateData=data)
        number = str(made["LaunchTemplateVersion"]["VersionNumber"])
        client.modify_launch_template(LaunchTemplateId=observed.id, DefaultVersion=number)
        return replace(observed, attributes={**observed.attributes, "data": data, "version": number})

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("ec2").create_tags(Resources=[observed.id], Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        try:
            aws.client("ec2").delete_launch_template(LaunchTemplateId=observed.id)
        except Exception as error:
            if error_code(error) not in MISSING:
                raise


def content(aws: Aws, template_id: str, version: str) -> dict[str, Any]:
    """Return the content of one version; empty if it is not there any more."""
    try:
        found = aws.client("ec2").describe_launch_template_versions(LaunchTemplateId=template_id, Versions=[version])
    except Exception as error:
        if error_code(error) in MISSING or error_code(error).startswith("InvalidLaunchTemplate"):
            return {}
        raise
    versions = found["LaunchTemplateVersions"]
    data: dict[str, Any] = versions[0]["LaunchTemplateData"] if versions else {}
    return data


def _observed(aws: Aws, name: str, item: Mapping[str, Any]) -> Observed:
    number = str(item["DefaultVersionNumber"])
    attributes = {
        "name": item["LaunchTemplateName"],
        "data": content(aws, item["LaunchTemplateId"], number),
        "version": number,
    }
    return Observed("ec2_launch_template", name, item["LaunchTemplateId"], attributes, tag_dict(item.get("Tags")))
