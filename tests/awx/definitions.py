# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of extensions/awx, as the tests read them, and copies of them that are cut down or changed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
FILES = ROOT / "extensions" / "awx"
#: What vars/awx.yml says of names, which definitions refer to.
SETTING = re.compile(r"^{{ (awx_\w+) }}$")


class Loader(yaml.SafeLoader):
    """Reads what Ansible reads; a template for AWX is a text like any other."""


def _unsafe(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    assert isinstance(node, yaml.ScalarNode)
    return loader.construct_scalar(node)


Loader.add_constructor("!unsafe", _unsafe)


def read(path: Path) -> Any:
    return yaml.load(path.read_text("utf-8"), Loader)  # noqa: S506 -- it is derived from SafeLoader


def settings() -> Json:
    result: Json = read(ROOT / "playbooks" / "vars" / "awx.yml")
    return result


def load(folder: Path = FILES) -> Json:
    """Everything by its kind, as the playbook hands it to `awx_waiting`."""
    known = settings()
    objects: Json = {}
    for path in sorted((folder / "objects").glob("*.yml")):
        objects |= read(path)
    for items in objects.values():
        for item in items if isinstance(items, list) else []:
            item["name"] = SETTING.sub(lambda found: str(known[found[1]]), item["name"])
    return {
        **{name.removeprefix("awx_"): value for name, value in objects.items()},
        "organization": known["awx_organization"],
        "project": known["awx_project"],
        "execution_environment": known["awx_execution_environment"],
        "credential_type": objects["awx_credential_types_by_identity"][known["awx_aws_identity"]],
        "scopes": objects["awx_job_template_scopes"],
        "notification_templates": objects["awx_notification_choices"],
        "job_templates": [read(path) for path in sorted((folder / "job_templates").glob("*.yml"))],
        "workflows": [read(path) for path in sorted((folder / "workflows").glob("*.yml"))],
    }


def copy(folder: Path) -> Path:
    """A copy of the definitions, to be changed."""
    shutil.copytree(FILES, folder)
    return folder


def change(path: Path, edit: Callable[[Any], None]) -> None:
    content = read(path)
    edit(content)
    path.write_text(f"---\n{yaml.safe_dump(content, sort_keys=False)}", "utf-8")


def sample(folder: Path) -> Path:
    """The least of the definitions that has one of everything: what the switchover and its readiness need."""
    copy(folder)
    for path in (folder / "job_templates").glob("*.yml"):
        if path.stem not in ("dr_status", "dr_switchover"):
            path.unlink()
    for path in (folder / "workflows").glob("*.yml"):
        if path.stem != "switchover":
            path.unlink()
    _keep(folder / "objects/credentials.yml", "awx_credentials", lambda item: item["environment"] == "dr")
    _keep(folder / "objects/inventories.yml", "awx_inventories", lambda item: item["name"] == "PipeOps prod and dr")
    _keep(folder / "objects/inventories.yml", "awx_inventory_sources", lambda item: item["name"].startswith("dr of"))
    _keep(folder / "objects/schedules.yml", "awx_schedules", lambda item: item["template"] == "PipeOps dr_status")
    return folder


def _keep(path: Path, name: str, wanted: Callable[[Json], bool]) -> None:
    def edit(content: Json) -> None:
        content[name] = [item for item in content[name] if wanted(item)]
        assert content[name]

    change(path, edit)
