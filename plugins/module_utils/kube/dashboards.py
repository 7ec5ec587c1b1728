# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dashboards of Grafana from the few words that tell one from another. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Grafana's grid is 24 wide.
WIDTH, HEIGHT, COLUMNS = 12, 8, 2
#: The version of the dashboard's schema that Grafana 11 and later read without changing it.
SCHEMA = 39


def dashboard(title: str, name: str, panels: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a dashboard, two panels a row.

    Args:
        name: unique; links to the dashboard have it.
        panels: each with ``title``, ``kind`` (``timeseries``, ``stat``), ``unit``, ``expr`` in PromQL, and ``legend``.
    """
    return {
        "uid": f"pipeops-{name}",
        "title": title,
        "tags": ["pipeops"],
        "timezone": "utc",
        "schemaVersion": SCHEMA,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "panels": [_panel(number, panel) for number, panel in enumerate(panels)],
    }


def _panel(number: int, panel: Mapping[str, Any]) -> dict[str, Any]:
    row, column = divmod(number, COLUMNS)
    return {
        "id": number + 1,
        "type": panel["kind"],
        "title": panel["title"],
        "datasource": {"type": "prometheus", "uid": "prometheus"},
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel["unit"]}, "overrides": []},
        "targets": [{"refId": "A", "expr": panel["expr"], "legendFormat": panel["legend"]}],
    }
