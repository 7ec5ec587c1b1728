# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import preload
from ansible_collections.pipeops.platform.plugins.plugin_utils.layer_action import LayerActionModule

# What only this layer calls, before the workers are forked.
preload(("budgets", "cloudwatch", "sns", "resourcegroupstaggingapi"))


class ActionModule(LayerActionModule):
    """Runs M(pipeops.platform.environment_alarms) without starting another interpreter."""
