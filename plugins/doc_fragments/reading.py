# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation that modules share which look at AWS and change nothing."""

from __future__ import annotations


class ModuleDocFragment:
    """What such a module does in a dry run, and when it is run again."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It changes nothing.
    support: none
  idempotent:
    description: It only reads.
    support: full
"""
