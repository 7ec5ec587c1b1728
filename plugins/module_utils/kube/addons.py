# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which add-ons are installed, in which version, and where each chart comes from."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

UPSTREAM, OCI = "upstream", "oci"
#: Which add-on ships logs, by the value of ``cluster_addons_log_shipper``; Fluent Bit comes with the agent's own chart.
SHIPPERS = {"fluentd": "fluentd"}
SETTINGS = frozenset({"enabled", "version", "values"})


class Unusable(Exception):
    """The settings cannot be; the message says which, and what to do."""


def addon_plan(
    catalogue: Sequence[Mapping[str, Any]], settings: Mapping[str, Any], source: str, log_shipper: str
) -> list[dict[str, Any]]:
    """Return the add-ons to install, each with its chart, in the order of the catalogue.

    Raises:
        Unusable: if a setting is for no add-on, or a directory lacks a chart.
    """
    names = [addon["name"] for addon in catalogue]
    for name, setting in settings.items():
        _check(str(name), setting, names)
    plan = []
    for addon in catalogue:
        setting = settings.get(addon["name"]) or {}
        standard = addon["standard"] or SHIPPERS.get(log_shipper) == addon["name"]
        if _given(setting, "enabled", standard):
            version = str(_given(setting, "version", addon["version"]))
            plan.append({**addon, **chart_of(addon, source, version), "values": _given(setting, "values", {})})
    return plan


def chart_of(addon: Mapping[str, Any], source: str, version: str) -> dict[str, Any]:
    """Return where the chart of an add-on is: ``chart``, ``repo_url`` and ``version``, as Helm wants them.

    Raises:
        Unusable: if it is to come from a directory that does not hold it.
    """
    if source == OCI and addon["oci"]:
        return {"chart": f"{addon['oci']}/{addon['chart']}", "repo_url": None, "version": version}
    if source in (UPSTREAM, OCI):
        return {"chart": addon["chart"], "repo_url": addon["repository"], "version": version}
    if source.startswith("oci://"):
        return {"chart": f"{source.rstrip('/')}/{addon['chart']}", "repo_url": None, "version": version}
    if source.startswith(("https://", "http://")):
        return {"chart": addon["chart"], "repo_url": source, "version": version}
    return {"chart": str(_in_directory(addon["chart"], Path(source).expanduser(), version)), "repo_url": None} | {
        "version": None
    }


def _in_directory(chart: str, folder: Path, version: str) -> Path:
    candidates = (folder / f"{chart}-{version}.tgz", folder / chart)
    if candidates[0].is_file():
        return candidates[0]
    if (candidates[1] / "Chart.yaml").is_file():
        return candidates[1]
    raise Unusable(
        f"cluster_addons_chart_source is the directory {folder}, which has neither {candidates[0].name} nor "
        f"{candidates[1].name}/Chart.yaml. Put the chart there (helm pull), or name another source."
    )


def _check(name: str, setting: Any, names: Sequence[str]) -> None:
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        mend = f"Did you mean {close[0]}?" if close else f"There are {', '.join(names)}."
        raise Unusable(f"cluster_addons_settings has {name}, which is no add-on. {mend}")
    unknown = sorted(set(setting or {}) - SETTINGS)
    if unknown:
        raise Unusable(
            f"cluster_addons_settings.{name} has {', '.join(unknown)}. It takes enabled, version and values; "
            "values of the chart go below values."
        )


def _given(setting: Mapping[str, Any], name: str, default: Any) -> Any:
    value = setting.get(name)
    return default if value is None else value
