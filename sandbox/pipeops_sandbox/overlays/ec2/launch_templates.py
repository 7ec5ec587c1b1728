"""Launch templates: what they hold, and tags that follow."""

from __future__ import annotations

from moto.core.responses import ActionResult

from .base import Ec2Base

OWN_TAGS = "launch-template"


class LaunchTemplates(Ec2Base):
    """The launch template operations."""

    def create_launch_template(self) -> ActionResult:
        """Make a template; the tags of the template itself are no part of its content, into which moto puts them."""
        result = super().create_launch_template()
        template = self.backend.get_launch_template_by_name(self._get_param("LaunchTemplateName"))
        data = template.default_version().data
        left = [one for one in data.pop("TagSpecifications", []) if one["ResourceType"] != OWN_TAGS]
        data |= {"TagSpecifications": left} if left else {}
        return result

    def describe_launch_templates(self) -> ActionResult:
        """Describe templates with the tags that they have now."""
        for template in self.backend.launch_templates.values():
            template.tags = template.get_tags()
        return super().describe_launch_templates()
