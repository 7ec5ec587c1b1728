# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation that modules share that wait for AWS."""

from __future__ import annotations


class ModuleDocFragment:
    """How long, and how often to look."""

    DOCUMENTATION = r"""
options:
  wait_timeout:
    description: The longest wait for one resource, in seconds.
    type: int
    default: 3600
  wait_delay:
    description: The longest pause between two looks at a resource that is waited for, in seconds.
    type: float
    default: 15
"""
