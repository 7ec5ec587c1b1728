# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who runs Ansible here, and what for, in words that help somebody who has to wait for it."""

from __future__ import annotations

import getpass
import os
import shlex
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible import context

from ..module_utils.locking.item import Claim
from .run_life import RunLife

#: Variables in which CI systems tell the address of a run: ours first, then GitLab's and Jenkins's.
URLS = ("PIPEOPS_RUN_URL", "CI_JOB_URL", "BUILD_URL")
#: GitHub tells it in three parts.
GITHUB = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")


def claim_of(life: RunLife) -> Claim:
    """Return the claim of this run."""
    playbooks: Sequence[str] = context.CLIARGS.get("args") or ()
    limit = context.CLIARGS.get("subset")
    return Claim(
        life.id,
        f"{_user()}@{socket.gethostname()}",
        life.pid,
        purpose(playbooks, str(limit) if limit else ""),
        run_url(os.environ),
    )


def purpose(playbooks: Sequence[str], limit: str) -> str:
    """Return what a run is for, e.g. ``site.yml --limit prod``."""
    names = " ".join(Path(playbook).name for playbook in playbooks) or "ansible"
    return f"{names} --limit {shlex.quote(limit)}" if limit else names


def run_url(environment: Mapping[str, str]) -> str:
    """Return where a CI system shows this run; empty if none does."""
    told = next((environment[name] for name in URLS if environment.get(name)), "")
    if told or not all(environment.get(name) for name in GITHUB):
        return told
    server, repository, run = (environment[name] for name in GITHUB)
    return f"{server}/{repository}/actions/runs/{run}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a number that has no name.
        return str(os.getuid())
