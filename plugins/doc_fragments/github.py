# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options and attributes of the modules that work on a repository at GitHub."""

from __future__ import annotations


class ModuleDocFragment:
    """Which repository, as whom."""

    DOCUMENTATION = r"""
options:
  repository:
    description: The repository, as C(OWNER/NAME).
    type: str
    required: true
  token:
    description:
      - A token that may write Administration and Environments of the repository, and read Members of the organization
        where teams are named.
      - The environment variable E(GITHUB_TOKEN) if not set. One of both is needed.
    type: str
  api_url:
    description:
      - The API, for an enterprise server of your own.
      - The environment variable E(GITHUB_API_URL) if not set, and GitHub's own without either.
    type: str
    default: https://api.github.com
  timeout:
    description: Seconds to wait for one answer.
    type: int
    default: 30
attributes:
  check_mode:
    description: Says what would be changed, and changes nothing.
    support: full
  diff_mode:
    description: Shows what differs before and after.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
"""
