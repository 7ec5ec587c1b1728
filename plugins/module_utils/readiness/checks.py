# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One thing that a failover depends on, and how it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Grade = Literal["good", "warning", "bad"]


@dataclass(frozen=True)
class Check:
    """One thing that a failover depends on."""

    name: str
    grade: Grade
    finding: str
    mend: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return it as a task result carries it; what is good needs no mending."""
        mend = "" if self.grade == "good" else self.mend
        return {"name": self.name, "grade": self.grade, "finding": self.finding, "mend": mend}
