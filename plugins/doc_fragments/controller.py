# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation that modules share which run on the controller and nowhere else."""

from __future__ import annotations


class ModuleDocFragment:
    """What such a module takes and does not take of what tasks may say."""

    DOCUMENTATION = r"""
attributes:
  action:
    description: Has an action plugin of the same name, which does all of its work on the controller.
    support: full
  async:
    description: Can be left running in the background.
    support: none
  become:
    description: Can be run as another user.
    support: none
  bypass_host_loop:
    description: Runs once for all hosts, whatever the strategy.
    support: none
  check_mode:
    description: Says what would be changed, and changes nothing.
    support: full
  connection:
    description: Uses the connection of the host.
    support: none
  delegation:
    description: Can be delegated to another host.
    support: none
  diff_mode:
    description: Shows what differs before and after.
    support: none
  platform:
    description: What the controller may run on.
    support: full
    platforms: all
"""
