# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks for secrets in all that git tracks; those of ``known_secrets.yml`` are none, each for a reason.

Forms of secrets (keys of clouds, tokens, private keys, what looks random) are looked for everywhere. That something is
called a secret or a password is only looked at where people configure things: code and tests always speak of them.
Nobody is asked whether a secret works. Exit status: 0 nothing; 1 a finding, or an exception that nothing needs.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from detect_secrets.core import scan
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).parent.parent
KNOWN = Path(__file__).with_name("known_secrets.yml")
NAMED = "Secret Keyword"
#: A file without any of this has no secret in it. The detectors themselves would take a minute for all files.
FORM = re.compile(
    r"(?<![A-Za-z0-9+/=])(?=[A-Za-z0-9+/=]*[0-9])(?=[A-Za-z0-9+/=]*[A-Za-z])[A-Za-z0-9+/=]{16,}"
    r"|://[^/\s:]+:[^/\s@]+@|PRIVATE KEY"
)
NAME = re.compile(r"(?i)secret|passw|token|api_?key|private_?key|credential")
#: Where a value that is called a secret is one.
CONFIGURATION = (".github/", "collections/", "examples/", "extensions/awx/", "inventories/", "playbooks/", "roles/")
#: The licence, prices, the checksums of Go's modules, and the exceptions with their digests.
LEFT_OUT = frozenset(
    {
        "LICENSE",
        "playbooks/files/prices.csv",
        "sandbox/pipeops_sandbox/kubernetes/programs/go.sum",
        "scripts/known_secrets.yml",
    }
)


@dataclass(frozen=True)
class Finding:
    """What looks like a secret.

    Attributes:
        digest: tells it from others, and does not tell it.
    """

    path: str
    line: int
    kind: str
    digest: str

    @property
    def key(self) -> tuple[str, str]:
        return self.path, self.digest


def digest(value: str) -> str:
    """Return by what an exception names a value."""
    return hashlib.sha256(value.encode()).hexdigest()[:12]


def findings(paths: Iterable[str], root: Path = ROOT) -> Iterator[Finding]:
    """Yield what looks like a secret in files."""
    configuration: list[str] = []
    others: list[str] = []
    for path in paths:
        text = (root / path).read_text("utf-8", errors="replace")
        if path.startswith(CONFIGURATION) and (NAME.search(text) or FORM.search(text)):
            configuration.append(path)
        elif FORM.search(text):
            others.append(path)
    known: dict[str, type] = get_mapping_from_secret_type_to_class()
    forms = {kind: plugin.__name__ for kind, plugin in known.items()}
    named = forms.pop(NAMED)
    yield from _scan(others, [*forms.values()], root)
    yield from _scan(configuration, [*forms.values(), named], root)


def _scan(paths: Iterable[str], plugins: Iterable[str], root: Path) -> Iterator[Finding]:
    with transient_settings({"plugins_used": [{"name": name} for name in plugins]}):
        for path in paths:
            for found in scan.scan_file(str(root / path)):
                yield Finding(path, found.line_number, found.type, digest(str(found.secret_value)))


def tracked() -> list[str]:
    """Return the files that git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for path in listed.split("\0") if path and path not in LEFT_OUT and (ROOT / path).is_file()]


def known(entries: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Return the exceptions, as findings have them."""
    return {(path, value) for entry in entries for path, values in entry["files"].items() for value in values}


def judge(found: Iterable[Finding], exceptions: set[tuple[str, str]]) -> Iterator[str]:
    """Yield what is wrong: what nobody has excepted, and exceptions that nothing needs."""
    met: set[tuple[str, str]] = set()
    for one in found:
        met.add(one.key)
        if one.key not in exceptions:
            yield (
                f"{one.path}:{one.line}: {one.kind}. Take it out, and renew it if it ever worked; "
                f"if it is none, except {one.digest} in scripts/known_secrets.yml, with the reason"
            )
    for path, value in sorted(exceptions - met):
        yield f"scripts/known_secrets.yml: {value} is not in {path} any more; take the exception out"


def main() -> int:
    """Look, and say what was found."""
    paths = tracked()
    exceptions = known(yaml.safe_load(KNOWN.read_text("utf-8")))
    wrong = list(judge(findings(paths), exceptions))
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    sys.stdout.write(f"{len(paths)} files, {len(exceptions)} exceptions, {len(wrong)} findings\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
