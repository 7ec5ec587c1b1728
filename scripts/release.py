# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases the collection: ``release.py check TAG`` refuses a tag that is not the version; ``release.py publish``
builds it and gives it to Galaxy. The token is in ``GALAXY_API_KEY``, and is on no command line.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "build" / "release"
#: As semantic versioning has them: Galaxy takes no other.
VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")


class Refused(Exception):
    """There will be no release; the message says why."""


def check(tag: str, galaxy: Mapping[str, Any]) -> str:
    """Return the version that a tag releases.

    Raises:
        Refused: if that is not the one of ``galaxy.yml``, or none at all.
    """
    version = str(galaxy["version"])
    if not VERSION.fullmatch(version):
        raise Refused(f"the version of galaxy.yml is {version!r}, which is no semantic version")
    if tag != f"v{version}":
        raise Refused(f"the tag is {tag!r}, and galaxy.yml has version {version}: tag v{version}, or change galaxy.yml")
    return version


def publish(variables: Mapping[str, str], server: str = "https://galaxy.ansible.com/") -> int:
    """Build the collection and give it to Galaxy; return the exit status."""
    token = variables.get("GALAXY_API_KEY")
    if not token:
        raise Refused("GALAXY_API_KEY is not set: it is a secret of the environment galaxy in GitHub's settings")
    shutil.rmtree(FOLDER, ignore_errors=True)
    build = ["ansible-galaxy", "collection", "build", "--output-path", str(FOLDER)]
    subprocess.run(build, cwd=ROOT, check=True)
    (tarball,) = FOLDER.glob("*.tar.gz")
    galaxy = {
        "ANSIBLE_GALAXY_SERVER_LIST": "release",
        "ANSIBLE_GALAXY_SERVER_RELEASE_URL": server,
        "ANSIBLE_GALAXY_SERVER_RELEASE_TOKEN": token,
    }
    command = ["ansible-galaxy", "collection", "publish", str(tarball)]
    return subprocess.run(command, cwd=ROOT, env={**variables, **galaxy}, check=False).returncode


def main(arguments: Sequence[str]) -> int:
    """Do what is asked, and return the exit status."""
    try:
        if list(arguments[:1]) == ["check"]:
            tag = arguments[1] if len(arguments) > 1 else ""
            sys.stdout.write(f"{check(tag, yaml.safe_load((ROOT / 'galaxy.yml').read_text('utf-8')))}\n")
            return 0
        return publish(os.environ)
    except Refused as error:
        sys.stderr.write(f"not released: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
