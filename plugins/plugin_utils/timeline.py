# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a playbook did and when, as data and as a page that draws it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil, log10
from pathlib import Path
from typing import Any

import jinja2

TEMPLATE = Path(__file__).parents[2] / "playbooks" / "templates" / "report.html.j2"
#: Marks along the drawn time, at the most.
MARKS = 10


@dataclass
class Span:
    """One task on one host.

    Attributes:
        start, end: seconds since the playbook began.
        status: ``ok``, ``changed``, ``failed`` or ``rescued``.
    """

    host: str
    task: str
    start: float
    end: float = 0.0
    status: str = "ok"

    def as_dict(self) -> dict[str, Any]:
        """Return it as the JSON file carries it."""
        return {
            "host": self.host,
            "task": self.task,
            "start": round(self.start, 3),
            "end": round(self.end, 3),
            "status": self.status,
        }


@dataclass
class Timeline:
    """A whole run.

    Attributes:
        kind: what the file is named after, e.g. ``failover``.
        findings: what the playbook itself wants to be said, by its name; values are text, numbers or lists.
    """

    kind: str
    title: str
    began: datetime
    spans: list[Span] = field(default_factory=list)
    findings: dict[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return max((span.end for span in self.spans), default=0.0)

    @property
    def failed(self) -> bool:
        """Whether it ended in a failure."""
        return any(span.status == "failed" for span in self.spans)

    @property
    def file_name(self) -> str:
        """The name of its files, without an ending; in the order of time when sorted."""
        return f"{self.kind}-{self.began.strftime('%Y%m%dT%H%M%SZ')}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as the JSON file carries it."""
        return {
            "kind": self.kind,
            "title": self.title,
            "began_at": self.began.isoformat(),
            "seconds": round(self.seconds, 3),
            "result": "failed" if self.failed else "done",
            "findings": self.findings,
            "steps": [span.as_dict() for span in self.spans],
        }

    def as_html(self) -> str:
        """Return a page that needs nothing else: no script, no font, no network."""
        environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        template = environment.from_string(TEMPLATE.read_text("utf-8"))
        shown = [span for span in self.spans if span.end - span.start >= self.seconds / 500 or span.status != "ok"]
        return template.render(
            report=self.as_dict(),
            spans=shown,
            left_out=len(self.spans) - len(shown),
            whole=max(self.seconds, 0.001),
            marks=list(marks(self.seconds)),
            rows=list(rows(self.findings)),
        )


def now() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(UTC)


def marks(seconds: float) -> Iterable[float]:
    """Yield the moments at which a scale is marked: at most ten, at 1, 2 or 5 times a power of ten."""
    if seconds <= 0:
        return
    power = 10 ** ceil(log10(seconds / MARKS / 10))
    step = next((power * one for one in (1, 2, 5) if seconds / (power * one) <= MARKS), power * 10)
    yield from (round(step * number, 6) for number in range(int(seconds / step) + 1))


def rows(findings: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Yield the findings as lines of a table, what is inside of others behind their names."""
    for name, value in findings.items():
        label = f"{prefix}{name}".replace("_", " ")
        if isinstance(value, Mapping):
            yield from rows(value, f"{label}: ")
        elif isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value):
            for item in value:
                more = [str(text) for key, text in item.items() if key != "name" and text]
                yield f"{label}: {item.get('name', '')}", " · ".join(more)
        elif isinstance(value, (list, tuple)):
            yield label, ", ".join(str(item) for item in value) or "none"
        else:
            yield label, _word(value)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unknown" if value is None else str(value)
