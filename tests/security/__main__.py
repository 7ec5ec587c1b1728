# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds playbooks, roles and manifests against the rules of checkov: ``python -m tests.security CHECKOV``.

Manifests are those that the role cluster_addons renders, for an environment in plain use and for one with everything
switched on, and those of the applications in ``examples``. Rules that are not followed stand in ``exceptions.yml`` with
the reason. Exit status: 0 nothing; 1 a finding that nobody has excepted, or an exception that nothing needs any more.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from tests.addons.rendering import FULL, PLAIN, ROOT, render

BUILD = ROOT / "build" / "security"
EXCEPTIONS = Path(__file__).with_name("exceptions.yml")


@dataclass(frozen=True)
class Finding:
    """A rule that something does not follow."""

    rule: str
    title: str
    path: str
    resource: str

    def __str__(self) -> str:
        return f"{self.rule} {self.path} {self.resource}: {self.title}"


def gather(folder: Path) -> None:
    """Lay out what is looked at: playbooks and roles, and the manifests that they make."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("playbooks", "roles"):
        # Without the links by which playbooks find the collection: everything would be found twice.
        shutil.copytree(ROOT / name, folder / "ansible" / name, ignore=shutil.ignore_patterns("collections"))
    manifests = folder / "manifests"
    manifests.mkdir(parents=True)
    for name, variables in (("plain", PLAIN), ("full", FULL)):
        text = yaml.safe_dump_all(render(variables).manifests, sort_keys=False)
        (manifests / f"{name}.yaml").write_text(text, "utf-8")
    for path in sorted((ROOT / "examples").glob("**/base/*.yml")):
        if path.name != "kustomization.yml":
            target = manifests / path.relative_to(ROOT).with_suffix(".yaml")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)


def scan(checkov: str, folder: Path) -> list[Finding]:
    """Return what does not follow the rules."""
    found: list[Finding] = []
    for framework, part in (("ansible", "ansible"), ("kubernetes", "manifests")):
        command = [checkov, "--directory", part, "--framework", framework, "--skip-download", "--output", "json"]
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
        try:
            report = json.loads(done.stdout)
        except ValueError:
            raise SystemExit(f"checkov says nothing that can be read:\n{done.stdout}{done.stderr}") from None
        if not report.get("summary", {}).get("passed"):
            raise SystemExit(f"checkov has looked at nothing of {framework}:\n{done.stdout}{done.stderr}")
        for one in report["results"]["failed_checks"]:
            path = f"{part}/{one['file_path'].lstrip('/')}"
            found.append(Finding(one["check_id"], one["check_name"], path, one["resource"]))
    return found


def judge(found: Iterable[Finding], exceptions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what is wrong: findings that nobody has excepted, and exceptions that nothing needs."""
    needed: set[int] = set()
    for one in found:
        matching = [number for number, entry in enumerate(exceptions) if _covers(entry, one)]
        needed.update(matching)
        if not matching:
            yield str(one)
    for number, entry in enumerate(exceptions):
        if number not in needed:
            yield f"exceptions.yml: nothing needs {entry['rule']} for {entry['of']} any more; take it out"


def _covers(entry: Mapping[str, Any], one: Finding) -> bool:
    return bool(entry["rule"] == one.rule) and any(fnmatchcase(f"{one.path} {one.resource}", of) for of in entry["of"])


def main(arguments: Sequence[str]) -> int:
    """Look, and say what was found."""
    gather(BUILD)
    found = scan(arguments[0], BUILD)
    exceptions = yaml.safe_load(EXCEPTIONS.read_text("utf-8"))
    wrong = list(judge(found, exceptions))
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    sys.stdout.write(f"{len(found)} findings, {len(exceptions)} exceptions with a reason, {len(wrong)} to mend\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
