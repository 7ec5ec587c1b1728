# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of one environment, as the rules see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Any

from .problems import Problem, shown
from .specs import Specs
from .typed import usable


class Inventory:
    """The variables of a host, in their types, with the roles' defaults where nothing is set.

    A variable that is missing or of the wrong type reads as None (or as empty), so that a rule about it is
    silent: it has been reported already.

    Args:
        host: the host that stands for the environment.
        values: its variables, templated.
        specs: what variables there are.
    """

    def __init__(self, host: str, values: Mapping[str, Any], specs: Specs) -> None:
        self.host = host
        self.specs = specs
        self.given = values
        self.type_problems: list[Problem] = []
        self._values = {
            name: spec["default"] for name, spec in specs.options.items() if spec.get("default") is not None
        }
        for name in sorted(values.keys() & specs.options.keys()):
            value, problems = usable(name, values[name], specs.options[name])
            self.type_problems += problems
            self._values[name] = None if problems else value

    def __repr__(self) -> str:
        return f"Inventory({self.host!r})"

    @property
    def environment(self) -> str:
        """The name of the environment, as its pair calls it."""
        return self.text("platform_environment") or self.host

    @property
    def service(self) -> str:
        """The environment by whose names clients find the database."""
        return self.text("platform_service_environment") or self.environment

    @property
    def prefix(self) -> str:
        """The start of every name, e.g. ``pipeops-prod``."""
        return f"{self.text('platform_name')}-{self.environment}"

    def has(self, name: str) -> bool:
        """Tell whether there is a value that a rule can judge."""
        return self._values.get(name) is not None

    def text(self, name: str) -> str:
        """Return a text, empty if there is none."""
        value = self._values.get(name)
        return str(value) if value is not None else ""

    def number(self, name: str) -> int | None:
        """Return a whole number."""
        value = self._values.get(name)
        return int(value) if value is not None else None

    def decimal(self, name: str) -> float:
        """Return a number that may have a fraction, 0 if there is none."""
        return float(self._values.get(name) or 0)

    def flag(self, name: str) -> bool | None:
        """Return a switch."""
        value = self._values.get(name)
        return bool(value) if value is not None else None

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        return [str(item) for item in self._values.get(name) or []]

    def records(self, name: str) -> list[dict[str, Any]]:
        """Return a list of dictionaries."""
        return [dict(item) for item in self._values.get(name) or [] if isinstance(item, Mapping)]

    def record(self, name: str) -> dict[str, Any]:
        """Return a dictionary."""
        return dict(self._values.get(name) or {})

    def problem(self, variable: str, reason: str, mend: str, *, value: Any = None) -> Problem:
        """Return a problem with a variable.

        Args:
            variable: the variable, or the part of it.
            value: the part's value; None stands for the variable's own.
        """
        if value is not None:
            return Problem(variable, shown(value), reason, mend)
        default = "" if variable in self.given else " (the default)"
        known = self._values.get(variable)
        return Problem(variable, "" if known is None else f"{shown(known)}{default}", reason, mend)

    def network(self, name: str) -> IPv4Network | None:
        """Return a range, or None if there is none or it is no range."""
        return as_network(self.text(name))

    def networks(self, name: str) -> list[IPv4Network]:
        """Return the usable ones of a list of ranges."""
        return [network for network in map(as_network, self.texts(name)) if network]


def as_network(text: str) -> IPv4Network | None:
    """Return an IPv4 range, or None if the text is none or names a host inside of it."""
    try:
        return IPv4Network(text) if "/" in text else None
    except ValueError:
        return None


def range_fault(text: str) -> tuple[str, str] | None:
    """Return why a text is no IPv4 range, and what to write; None if it is one."""
    example = "Write it as address and prefix length, e.g. 10.0.0.0/16."
    if ":" in text:
        return "it is an IPv6 range, and the platform is IPv4 only", example
    try:
        loose = IPv4Network(text, strict=False)
    except NetmaskValueError:
        return "its prefix length is not one of 0 to 32", example
    except AddressValueError:
        return "it is no IPv4 range", example
    if "/" not in text:
        return "it is an address without a prefix length", f"Write {text}/32 for this one address."
    if as_network(text) is None:
        return "its address lies inside the range instead of at its start", f"Write {loose}."
    return None


def repeated(values: Iterable[str]) -> list[str]:
    """Return what occurs more than once, once each."""
    listed = list(values)
    return sorted({value for value in listed if listed.count(value) > 1})
