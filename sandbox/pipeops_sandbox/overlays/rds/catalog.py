"""What RDS for PostgreSQL offers: versions, classes, storage, parameters. Read from the data files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

ENGINE = "postgres"
LICENSE = "postgresql-license"
FIRST_FAMILY, LAST_FAMILY = 14, 18


@cache
def _data(name: str) -> Any:
    return yaml.safe_load(resources.files(__package__).joinpath("data", name).read_text("utf-8"))


@dataclass(frozen=True)
class Parameter:
    """One parameter of a family. ``allowed``: ``low-high``, a comma list, or empty for anything."""

    name: str
    default: str
    data_type: str
    allowed: str
    static: bool
    modifiable: bool
    section: str

    def accepts(self, value: str) -> bool:
        """Tell whether RDS takes a value: literals within ``allowed``, or a formula for a number."""
        if self.data_type in ("integer", "float"):
            return self._accepts_number(value)
        if not self.allowed:
            return True
        choices = self.allowed.split(",")
        if self.data_type == "list":
            return all(part.strip() in choices for part in value.split(",") if part.strip())
        return value in choices

    def _accepts_number(self, value: str) -> bool:
        if re.fullmatch(r"(?:LEAST|GREATEST|SUM|\{DBInstance|\{Allocated)[\w{}()/*+\-,. ]*", value):
            return True
        bounds = re.fullmatch(r"(-?[\d.e+]+)-(-?[\d.e+]+)", self.allowed)
        pattern = r"-?\d+" if self.data_type == "integer" else r"-?\d+(\.\d+)?"
        if bounds is None or not re.fullmatch(pattern, value):
            return False
        return float(bounds[1]) <= float(value) <= float(bounds[2])


def majors() -> list[str]:
    """Return the major versions, oldest first."""
    return list(_data("engines.yml")["versions"])


def versions(major: str | None = None) -> list[str]:
    """Return all orderable versions, oldest first, or those of one major."""
    rows: dict[str, list[str]] = _data("engines.yml")["versions"]
    return [version for key, minors in rows.items() if major in (None, key) for version in minors]


def default_version() -> str:
    """Return the version of a call that names none."""
    return str(_data("engines.yml")["default"])


def resolve_version(given: str) -> str | None:
    """Return the full version for ``16.13`` or ``16`` (the major's default), or None if there is no such."""
    rows: dict[str, list[str]] = _data("engines.yml")["versions"]
    if given in rows:
        return rows[given][-1]
    return given if given in versions() else None


def upgrade_targets(version: str) -> list[str]:
    """Return what a version may be upgraded to: later minors, and minors of later majors at least as recent.

    Minor versions of all majors are published together, so the distance to the major's last one is their age.
    """
    major = version.split(".", maxsplit=1)[0]
    age = len(versions(major)) - versions(major).index(version) - 1
    later = versions(major)[versions(major).index(version) + 1 :]
    for other in majors():
        if int(other) > int(major):
            later += versions(other)[-(age + 1) :]
    return later


def family_of(version: str) -> str:
    """Return the parameter group family of a version."""
    return ENGINE + version.split(".", maxsplit=1)[0]


def families() -> list[str]:
    """Return the parameter group families."""
    return [ENGINE + major for major in majors()]


def classes() -> dict[str, list[int]]:
    """Return instance classes with their vCPU and GiB."""
    rows: dict[str, list[int]] = _data("engines.yml")["classes"]
    return rows


def storage_types() -> dict[str, dict[str, Any]]:
    """Return storage types with their bounds."""
    rows: dict[str, dict[str, Any]] = _data("engines.yml")["storage"]
    return rows


def certificates() -> dict[str, list[int]]:
    """Return certificate authorities, the default first, with the years they are valid from and till."""
    rows: dict[str, list[int]] = _data("engines.yml")["certificates"]
    return rows


def backup_replication_regions() -> list[str]:
    """Return the regions between which automated backups replicate."""
    rows: list[str] = _data("engines.yml")["backup_replication_regions"]
    return rows


@cache
def parameters(family: str) -> dict[str, Parameter]:
    """Return the parameters of a family by name."""
    major = int(family.removeprefix(ENGINE))
    found: dict[str, Parameter] = {}
    for section, rows in _data("parameters.yml").items():
        for name, row in rows.items():
            default, data_type, allowed, apply_type, *rest = row
            options = rest[0] if rest else {}
            if not options.get("since", FIRST_FAMILY) <= major <= options.get("until", LAST_FAMILY):
                continue
            value = default[major] if isinstance(default, dict) else default
            locked = bool(options.get("locked", False))
            choices = ",".join(allowed) if isinstance(allowed, list) else allowed
            found[name] = Parameter(name, value, data_type, choices, apply_type == "static", not locked, section)
    return found
