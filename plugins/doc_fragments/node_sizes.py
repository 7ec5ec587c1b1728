# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many nodes managed node groups have, for modules that know the groups by their names."""

from __future__ import annotations


class ModuleDocFragment:
    """The options by which the node groups of M(pipeops.platform.eks_data_plane) are found again."""

    DOCUMENTATION = r"""
options:
  cluster_name:
    description: The name of the cluster. Taken as C(PLATFORM-ENVIRONMENT) if not set.
    type: str
  managed_node_groups:
    description:
      - Whether managed node groups run the nodes, one a zone, as M(pipeops.platform.eks_data_plane) makes them.
      - Nodes of EKS Auto Mode are a matter of Kubernetes, see M(pipeops.platform.cluster_nodes).
    type: bool
    default: false
  zones:
    description: The availability zones of the node groups.
    type: list
    elements: str
    default: []
  node_minimum:
    description: The fewest nodes of an environment that is awake, over all zones.
    type: int
    default: 2
  node_maximum:
    description: The most nodes, over all zones.
    type: int
    default: 4
  node_revision:
    description: The ending of the groups' names.
    type: str
    default: "1"
"""
