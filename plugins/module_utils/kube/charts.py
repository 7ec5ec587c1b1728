# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a chart is, as far as it can be told without Helm: most runs find the release of it as it should be.

M(kubernetes.core.helm) needs an interpreter and five processes of Helm to find that out, for each release.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

with suppress(ImportError):
    import yaml

#: A version that names one chart, and no range of them.
EXACT = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+(?:[-+].*)?")
ABOUT = "Chart.yaml"


@dataclass(frozen=True)
class Chart:
    """A chart by name and version, of which there is one in a repository.

    Attributes:
        app_version: what it installs, None if that is not known: it goes with the version.
    """

    name: str
    version: str
    app_version: str | None = None

    def made(self, metadata: Mapping[str, Any]) -> bool:
        """Tell whether a release was made of it, by what Helm keeps of the release's chart."""
        same = (metadata.get("name"), metadata.get("version")) == (self.name, self.version)
        return same and self.app_version in (None, str(metadata.get("appVersion") or ""))


def chart_of(reference: str, version: str | None) -> Chart | None:
    """Return a chart by its reference: a directory, an archive, an address, or the name in a repository.

    None if only Helm can tell, because the version is a range, or if the chart cannot be read, which Helm then says.
    """
    path = Path(reference)
    if path.is_dir() or path.is_file():
        return _read(path)
    return Chart(reference.rstrip("/").rsplit("/", 1)[-1], version) if version and EXACT.fullmatch(version) else None


def _read(path: Path) -> Chart | None:
    try:
        about = yaml.safe_load((path / ABOUT).read_text("utf-8") if path.is_dir() else _from_archive(path))
        return Chart(str(about["name"]), str(about["version"]), str(about.get("appVersion") or ""))
    except (OSError, KeyError, AttributeError, TypeError, UnicodeDecodeError, tarfile.TarError, yaml.YAMLError):
        return None


def _from_archive(path: Path) -> str:
    """Return what an archive says of its chart, right below its folder: deeper ones are of charts that it needs."""
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and member.name.count("/") == 1 and member.name.endswith(f"/{ABOUT}"):
                found = archive.extractfile(member)
                return found.read().decode("utf-8") if found else ""
    return ""
