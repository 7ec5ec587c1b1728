# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One way to pay less, with what has to be true for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any

from .money import number


@dataclass(frozen=True)
class Saving:
    """One way to pay less.

    Attributes:
        lever: a word for it, the same in all environments.
        monthly: USD a month; None if a price for it is not known.
        assumption: what has to be true for it.
        taken: whether the environment does so already.
        together: whether it is among those that add up: no other one of them is about the same money.
    """

    lever: str
    title: str
    monthly: Decimal | None
    assumption: str
    taken: bool = False
    together: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON carries it."""
        return {**asdict(self), "monthly": number(self.monthly)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Saving:
        """Return one as ``as_dict`` wrote it."""
        plain = {field.name: data[field.name] for field in fields(cls)}
        return cls(**{**plain, "monthly": None if data["monthly"] is None else Decimal(str(data["monthly"]))})
