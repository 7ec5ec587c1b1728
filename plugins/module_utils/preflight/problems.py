# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with an inventory, in sentences that say what to write instead."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

#: Characters of a value that a message shows.
WIDTH = 80
#: Words that YAML 1.1 reads as something else than text, so a text of this kind is shown in quotes.
_NO_TEXT = re.compile(r"|[-+.]?[0-9][0-9_.,:eE+-]*|~|null|true|false|yes|no|on|off|y|n", re.IGNORECASE)
_SECRET = re.compile(r"password|passwd|secret|token|credential|private_key|access_key", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """One reason why an inventory cannot work.

    Attributes:
        variable: the variable, or the part of it: ``rds_replicas[0].name``.
        value: what it is, as it would be written in YAML; empty if it is not set.
        reason: why that cannot be, without a full stop.
        mend: what to write instead, as a sentence.
    """

    variable: str
    value: str
    reason: str
    mend: str

    def __str__(self) -> str:
        state = f"is {self.value}" if self.value else "is not set"
        return f"{self.variable} {state}: {self.reason}. {self.mend}"

    def as_dict(self) -> dict[str, str]:
        """Return it as the task's result shows it."""
        return asdict(self)


def is_secret_name(name: str) -> bool:
    """Tell whether a variable of this name may hold what nobody should read in a log."""
    return bool(_SECRET.search(name))


def shown(value: Any, *, secret: bool = False) -> str:
    """Return a value as it would be written in YAML, cut to one short line."""
    text = "(hidden)" if secret else _flow(value)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."


def _flow(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value) if _NO_TEXT.fullmatch(value) or not value.isprintable() else str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return str(value)


def nearest(value: str, known: Collection[str], otherwise: str) -> str:
    """Return the question whether a similar known value was meant, or else another sentence."""
    begun = [one for one in known if value and one.startswith(value)]
    near = (begun if len(begun) == 1 else []) or difflib.get_close_matches(value, known, n=1)
    return f"Did you mean {near[0]}?" if near else otherwise


def report(environment: str, problems: Sequence[Problem]) -> str:
    """Return the message that refuses an inventory."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    head = f"The inventory of {environment} cannot work ({count}). Nothing was changed."
    return "\n".join([head, *map(str, problems)])
