# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors that a person can act on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class EngineError(Exception):
    """The run cannot go on. The message says what, which resource, which region and what to do next.

    Attributes:
        done: the actions that were carried out before, as the task result shows them.
        untouched: True if everything is certainly as it was before; the task result says so, too.
    """

    done: Sequence[dict[str, Any]] = ()
    untouched: bool = False


class PlanRefused(EngineError):
    """The wanted state cannot be reached without loss, so nothing was changed.

    Attributes:
        reasons: one sentence for each thing that is refused.
    """

    untouched = True

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = list(reasons)
        super().__init__("Refused, nothing was changed. " + " ".join(self.reasons))
