# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role cluster_addons hands to Helm and to the API server, rendered by Ansible itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
#: An environment with a database, and one on standby where everything is switched on.
PLAIN: dict[str, Any] = {
    "cluster_addons_cluster": {
        "cluster_name": "pipeops-dev",
        "endpoint": "https://0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com",
        "certificate_authority": "LS0tLS1CRUdJTg==",
    },
    "cluster_addons_environment": "dev",
    "cluster_addons_region": "us-west-2",
    "cluster_addons_account_id": "123456789012",
    "cluster_addons_vpc_id": "vpc-0a1b2c3d4e5f60001",
    "cluster_addons_vpc_cidr": "10.0.0.0/16",
    "cluster_addons_database_secret": "pipeops/dev/database",
    "cluster_addons_database_host": "database.dev.pipeops.internal",
    "cluster_addons_database_cidrs": ["10.0.0.0/16"],
    "cluster_addons_database_instances": ["pipeops-dev"],
    "cluster_addons_gitops_repository": "https://github.com/pipeops/platform.git",
}
FULL: dict[str, Any] = {
    **PLAIN,
    "cluster_addons_role": "standby",
    "cluster_addons_high_availability": True,
    "cluster_addons_log_shipper": "fluentd",
    "cluster_addons_settings": {"aws_load_balancer_controller": {"enabled": True}},
    "cluster_addons_service_account_roles": {
        "kube-system/external-secrets-operator": "arn:aws:iam::123456789012:role/pipeops-secrets"
    },
    "cluster_addons_developer_groups": ["developers"],
    "cluster_addons_viewer_groups": ["support"],
    "cluster_addons_gitops_secret": "pipeops/dev/git",
    "cluster_addons_alert_secret": "pipeops/dev/alerts",
    "cluster_addons_alert_slack_channel": "#platform",
    "cluster_addons_alert_pagerduty": True,
    "cluster_addons_alert_heartbeat": True,
    "cluster_addons_alert_email": {
        "to": "ops@example.com",
        "from": "alerts@example.com",
        "smarthost": "smtp.example.com:587",
        "username": "alerts",
    },
    "cluster_addons_node_maximum": 6,
}


@dataclass(frozen=True)
class Rendered:
    """What one set of variables comes to.

    Attributes:
        plan: the add-ons with their charts.
        values: those of each add-on.
        objects: the manifests of each part.
    """

    plan: list[dict[str, Any]]
    values: dict[str, dict[str, Any]]
    objects: dict[str, list[dict[str, Any]]]

    @property
    def manifests(self) -> list[dict[str, Any]]:
        """All manifests of ours."""
        return [item for items in self.objects.values() for item in items]

    def named(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
        """Return one manifest."""
        (found,) = [
            item
            for item in self.manifests
            if item["kind"] == kind
            and item["metadata"]["name"] == name
            and namespace in (None, item["metadata"].get("namespace"))
        ]
        return found


def render(variables: dict[str, Any]) -> Rendered:
    """Render everything for these variables."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "tests/addons/render.yml", "-i", "localhost,"]
    own = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_CALLBACKS_ENABLED": "ansible.posix.json"}
    done = subprocess.run(
        [*command, "-e", json.dumps(variables)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **own},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    plan, values, objects = (task["hosts"]["localhost"] for task in json.loads(done.stdout)["plays"][0]["tasks"])
    return Rendered(
        plan["msg"],
        {item["addon"]["name"]: item["msg"] for item in values["results"]},
        {item["part"]: item["msg"] for item in objects["results"]},
    )
