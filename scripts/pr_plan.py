# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a branch changes, planned without AWS: its base is stood up on a sandbox, and the branch planned against that.

No credentials are needed, so it works for anybody's pull request, and shows what the branch changes alone: what else
may differ in AWS is for ``drift.yml``. What runs inside clusters (add-ons, applications) is not in it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeops_sandbox.server import Sandbox, serve

ROOT = Path(__file__).parent.parent
PLANS = ROOT / "build" / "plans"


@dataclass(frozen=True)
class Checkout:
    """A checkout of the collection, and the sandbox that its runs talk to."""

    folder: Path
    url: str

    def variables(self, **more: str) -> dict[str, str]:
        """Return the process environment that leads to the sandbox and to this checkout, and nowhere else."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PIPEOPS_"))}
        own = {
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "AWS_ACCESS_KEY_ID": "pull-request",
            "AWS_SECRET_ACCESS_KEY": "pull-request",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PIPEOPS_KUBERNETES_ENABLED": "false",
        }
        return {**kept, **own, **more}

    def run(self, *options: str, log: Path, **more: str) -> int:
        """Run the main playbook for all environments side by side, with a log, and return its status."""
        inventories = [
            f"-iinventories/{path.parent.name}" for path in sorted(self.folder.glob("inventories/*/hosts.yml"))
        ]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8") as file:
            return subprocess.run(
                ["ansible-playbook", "site.yml", *inventories, *options],
                cwd=self.folder,
                env=self.variables(**more),
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode


def git(*arguments: str) -> str:
    """Run git and return what it says."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def fork_point(base: str) -> str:
    """Return the commit at which the branch left its base, so that what the base has got since is no change of it."""
    known = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{base}^{{commit}}"], cwd=ROOT, check=False, capture_output=True
    )
    if known.returncode:
        raise SystemExit(f"BASE is {base!r}, which git does not know here. Fetch it: git fetch origin main")
    return git("merge-base", base, "HEAD")


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """Check a commit out beside this one for as long as the block runs."""
    folder = ROOT / "build" / f"base-{os.getpid()}"
    git("worktree", "add", "--quiet", "--force", "--detach", str(folder), commit)
    try:
        yield folder
    finally:
        git("worktree", "remove", "--force", str(folder))


def _tail(log: Path) -> str:
    return log.read_text("utf-8")[-4000:]


def main(arguments: Sequence[str]) -> int:
    """Plan the branch and return the exit status: 0 if there is a plan of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="origin/main", help="the branch or commit that it is compared with")
    options = parser.parse_args(arguments)
    commit = fork_point(options.base)
    shutil.rmtree(PLANS, ignore_errors=True)
    server = serve(Sandbox())
    began = time.monotonic()
    try:
        with worktree(commit) as folder:
            before = Checkout(folder, server.url)
            if before.run(log=PLANS / "base.log"):
                said = _tail(PLANS / "base.log")
                sys.stdout.write(f"{options.base} at {commit} does not stand up on the sandbox:\n{said}\n")
                return 1
        seconds = time.monotonic() - began
        sys.stdout.write(f"{commit[:12]}, where the branch left {options.base}, stands after {seconds:.0f} s\n")
        after = Checkout(ROOT, server.url)
        results = {"PIPEOPS_PLAN_JSON": str(PLANS / "pr.json"), "PIPEOPS_PLAN_MARKDOWN": str(PLANS / "pr.md")}
        status = after.run("--check", "--diff", log=PLANS / "pr.log", **results)
    finally:
        server.shutdown()
    sys.stdout.write(_tail(PLANS / "pr.log") if status else (PLANS / "pr.md").read_text("utf-8"))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
