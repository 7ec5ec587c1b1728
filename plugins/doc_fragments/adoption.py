# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the state in which a layer takes over what others made."""

from __future__ import annotations


class ModuleDocFragment:
    """The states of such a layer. Name it before C(pipeops.platform.layer), whose description it replaces."""

    DOCUMENTATION = r"""
options:
  state:
    description:
      - V(present) brings everything to the wanted state.
      - V(absent) removes everything of this layer that carries the environment's owner tags.
      - V(adopted) gives what others made the tags that it would have, the owner tags among them, and changes nothing
        else. From then on it is managed as if it had been made here, and V(present) makes the other changes, which
        are returned as RV(ignore:deferred).
      - It is refused for what belongs to another environment, and for what differs in a way that AWS cannot change.
        What it is called in AWS is one of these; see the options for names.
    type: str
    choices: [present, absent, adopted]
    default: present
"""
