# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.pipeops.platform.plugins.modules import cluster_nodes
from ansible_collections.pipeops.platform.plugins.plugin_utils.function_action import FunctionActionModule


class ActionModule(FunctionActionModule):
    """Runs M(pipeops.platform.cluster_nodes) without starting another interpreter."""

    module = cluster_nodes
