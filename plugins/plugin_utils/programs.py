# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs that run on the controller."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def find(program: str) -> str | None:
    """Return the path of a program, None if there is none.

    It is looked for in ``PATH``, and then beside the interpreter: of a virtual environment that is not activated,
    ``ansible-playbook`` is run by its path, and what was installed with it is meant, too.
    """
    places = (os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent))
    return shutil.which(program, path=os.pathsep.join(places))
