# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values and manifests of the role cluster_addons, and charts that they are held against."""

# Lets what follows import the collection, also where pytest does not.
import tests.conftest as _tests  # noqa: F401
