# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables that an inventory may set: those that the argument specs of the collection's roles name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .problems import Problem, is_secret_name, shown

#: Where a role's variables are described; that of the preflight role describes the ones that no single role owns.
ENTRY_POINT, PLATFORM_ENTRY_POINT = "main", "inventory"
PREFLIGHT, PLATFORM = "preflight", "platform"
#: How alike two names are at least, of 1, before the one is taken for the other misspelt: loose where the prefix
#: says that a variable of ours is meant, strict where somebody's own variable may just look similar.
LOOSE, STRICT = 0.6, 0.87


@dataclass(frozen=True)
class Specs:
    """The options of all roles.

    Attributes:
        options: each variable with its specification, as ArgumentSpecValidator takes it.
        owners: each variable with the role that it steers, ``platform`` for those of no single role.
        roles: the prefixes of variables.
    """

    options: Mapping[str, Mapping[str, Any]]
    owners: Mapping[str, str]
    roles: tuple[str, ...]

    @classmethod
    def from_documents(cls, documents: Mapping[str, Mapping[str, Any]]) -> Specs:
        """Read the ``meta/argument_specs.yml`` of each role, given by the role's name."""
        options: dict[str, Mapping[str, Any]] = {}
        owners: dict[str, str] = {}
        for role, document in documents.items():
            entry_points = document["argument_specs"]
            named = {role: entry_points.get(ENTRY_POINT), PLATFORM: entry_points.get(PLATFORM_ENTRY_POINT)}
            for owner, entry_point in named.items():
                for name, spec in ((entry_point or {}).get("options") or {}).items():
                    options[name], owners[name] = spec, owner
        return cls(options, owners, tuple(sorted({*documents, PLATFORM})))

    def owner(self, name: str) -> str | None:
        """Return the role whose prefix a variable has, the longest if there are several; None if it has none."""
        return max((role for role in self.roles if name.startswith(f"{role}_")), key=len, default=None)

    def home(self, host: str, name: str) -> str:
        """Return the file of an inventory that a variable belongs into."""
        return f"host_vars/{host}/{self.owners.get(name, PLATFORM)}.yml"

    def concerns(self, name: str) -> bool:
        """Tell whether a variable of a host steers the platform, or was meant to."""
        if name in self.options:
            return True
        if name.startswith(("_", "ansible_")) or name.endswith("_result"):
            return False
        return self.owner(name) is not None or self._meant(name, STRICT) is not None

    def misspelt(self, values: Mapping[str, Any]) -> Iterable[Problem]:
        """Yield the variables that no role has, although their name says that one was meant."""
        for name, value in values.items():
            if name in self.options or not self.concerns(name):
                continue
            meant, owner = self._meant(name, LOOSE if self.owner(name) else STRICT), self.owner(name)
            mend = f"Did you mean {meant}?" if meant else f"Remove it, or give it a name without the prefix {owner}_."
            yield Problem(name, shown(value, secret=is_secret_name(name)), "no role has a variable of this name", mend)

    def _meant(self, name: str, cutoff: float) -> str | None:
        return next(iter(difflib.get_close_matches(name, self.options, n=1, cutoff=cutoff)), None)
