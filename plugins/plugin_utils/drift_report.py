# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The drift of several environments side by side, as data, as a table and as a page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2

from ..module_utils.drift.findings import CATEGORIES

TEMPLATE = Path(__file__).parents[2] / "playbooks" / "templates" / "drift.html.j2"
SIGNS = {"changed": "~", "missing": "-", "unmanaged": "?"}
STYLES = {"changed": "yellow", "missing": "red", "unmanaged": "magenta"}
#: Characters of a value that a table shows.
VALUE_WIDTH = 60
NOTHING: Mapping[str, Any] = {"found": 0, "counts": dict.fromkeys(CATEGORIES, 0), "findings": [], "note": ""}


@dataclass
class DriftReport:
    """What was compared.

    Attributes:
        healed: whether the run mended what it found.
        environments: by name, the result of :mod:`drift_info`.
        failed: environments that could not be compared to the end, each with the reason.
    """

    began: datetime
    healed: bool
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def left(self) -> int:
        """How many findings are left after the run."""
        findings = (item for drift in self.environments.values() for item in drift["findings"])
        return sum(not (self.healed and item["heals"]) for item in findings)

    @property
    def file_name(self) -> str:
        """The name of its files, without an ending; in the order of time when sorted."""
        return f"drift-{self.began.strftime('%Y%m%dT%H%M%SZ')}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as the JSON file carries it."""
        return {
            "kind": "drift",
            "began_at": self.began.isoformat(),
            "seconds": round(self.seconds, 1),
            "healed": self.healed,
            "left": self.left,
            "failed": self.failed,
            "environments": self.environments,
        }

    def as_html(self) -> str:
        """Return a page that needs nothing else: no script, no font, no network."""
        environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        environment.filters |= {"difference": difference, "culprit": culprit}
        template = environment.from_string(TEMPLATE.read_text("utf-8"))
        return template.render(report=self.as_dict(), names=self.names, categories=CATEGORIES, nothing=NOTHING)

    @property
    def names(self) -> list[str]:
        """The environments, in the order of their names."""
        return sorted({*self.environments, *self.failed})

    def rows(self) -> Iterable[tuple[str, ...]]:
        """Yield the lines of a table: category, environment, type, name, identifier, what differs, who."""
        for name in self.names:
            for item in self.environments.get(name, NOTHING)["findings"]:
                what = "; ".join(difference(one) for one in item["differences"])
                yield (
                    item["category"], name, item["label"], item["name"], item["id"] or item["arn"], what,
                    culprit(item["who"]),
                )  # fmt: skip

    def totals(self) -> Iterable[tuple[str, str]]:
        """Yield a sentence for each environment."""
        for name in self.names:
            if name in self.failed:
                yield name, f"not compared to the end: {self.failed[name]}"
                continue
            if self.environments[name].get("hibernated"):
                yield name, f"not compared: {self.environments[name]['note']}"
                continue
            counts = self.environments[name]["counts"]
            said = ", ".join(f"{counts[category]} {category}" for category in CATEGORIES if counts[category])
            yield name, said or "as the inventory says"


def difference(item: Mapping[str, Any]) -> str:
    """Return what differs in a line, e.g. ``multi_az is false, not true``."""
    return f"{item['attribute']} is {_short(item['found'])}, not {_short(item['wanted'])}"


def culprit(who: Mapping[str, Any]) -> str:
    """Return who made a change, in a line; empty if nobody knows."""
    if not who:
        return ""
    likely = "" if who["sure"] else "probably "
    return f"{likely}{who['by']}, {who['event']} at {who['at']}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= VALUE_WIDTH else f"{text[: VALUE_WIDTH - 1]}…"
