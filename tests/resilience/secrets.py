# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The password of the database is nowhere but in Secrets Manager: not in what a run prints, writes or asks."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from tests.platform_runs import ROOT, Platform
from tests.resilience.proof import Case, Proof

SECRET = "pipeops/prod/database"
#: Runs, each with what is looked through: everything that it prints at the highest verbosity, and every file it leaves.
RUNS = {
    "from nothing": ["site.yml"],
    "with nothing to do": ["site.yml"],
    "a plan with differences": ["site.yml", "--check", "--diff", "-e", "rds_backup_retention_days=9"],
    "a run of the database alone": ["playbooks/database.yml", "-e", "rds_backup_retention_days=9"],
}


def prepare(stand: Platform) -> Sequence[Case]:
    """Return the runs, in their order."""
    stand.begin()
    return [Case(name, partial(told, arguments=arguments)) for name, arguments in RUNS.items()]


def told(stand: Platform, arguments: list[str]) -> list[str]:
    """Run it, and return where the password is found."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        own = {name: str(place / name) for name in ("ANSIBLE_LOG_PATH", "PIPEOPS_PLAN_JSON", "PIPEOPS_PLAN_MARKDOWN")}
        own |= {"ANSIBLE_LOCAL_TEMP": str(place / "tmp"), "ANSIBLE_CACHE_PLUGIN": "jsonfile"}
        own |= {"ANSIBLE_CACHE_PLUGIN_CONNECTION": str(place / "cache"), "ANSIBLE_KEEP_REMOTE_FILES": "1"}
        own |= {"ANSIBLE_REMOTE_TMP": str(place / "remote"), "TMPDIR": folder}
        done = subprocess.run(
            ["ansible-playbook", *arguments, "-iinventories/prod", "-vvvv"],
            cwd=ROOT,
            env=stand.environment(**own),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return [f"the run ended with {done.returncode}: {done.stdout[-1500:]}"]
        password = json.loads(stand.client("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"])[
            "password"
        ]
        written = {str(path.relative_to(place)): path.read_bytes() for path in files(place)}
        faults = [f"the password is in {name}" for name, content in written.items() if password.encode() in content]
        faults += [f"{name} can be read by others" for name in _open(place, written)]
    if password in done.stdout + done.stderr:
        faults.append("the password is in what the run printed")
    if password in json.dumps(stand.calls()):
        faults.append("the password is in the journal")
    return faults


def files(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder."""
    for root, _folders, names in os.walk(folder):
        yield from (Path(root, name) for name in names if Path(root, name).is_file())


def _open(place: Path, written: dict[str, bytes]) -> Iterator[str]:
    """Yield the files of modules and their arguments that somebody else could read."""
    for name in written:
        if name.startswith("remote") and (place / name).stat().st_mode & 0o077:
            yield name


PROOF = Proof("secrets", prepare, sample=4)
