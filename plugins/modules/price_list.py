#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: price_list
short_description: Renew the list of prices
version_added: 1.0.0
description:
  - Asks the Price List Query API of AWS for the prices of a list, and writes the list anew, each price with its source
    and the day.
  - A price is only taken over if AWS's list has exactly one of its kind, and if it is not far from the former one.
    Everything else is kept as it was, and reported.
  - What the API cannot be asked for (spot prices, commitments, allowances) is kept.
options:
  source:
    description: The list to begin with.
    type: path
    required: true
  path:
    description: The list to write. Its folder must exist.
    type: path
    required: true
  regions:
    description: Regions whose prices are renewed, V(us-west-2) and V(us-east-1).
    type: list
    elements: str
    default: [us-west-2, us-east-1]
  items:
    description: Prices that the list does not have yet.
    type: list
    elements: dict
    default: []
    suboptions:
      service:
        description: The service, e.g. V(AmazonEC2).
        type: str
        required: true
      item:
        description: The item, e.g. V(ondemand:linux:m8i.large).
        type: str
        required: true
      unit:
        description: The unit of its price.
        type: str
        default: hour
  max_change_percent:
    description: How far a price may be from the former one to be believed, in per cent.
    type: float
    default: 50
  api_region:
    description: Where the API is asked. It answers for all regions.
    type: str
    choices: [us-east-1, eu-central-1, ap-south-1]
    default: us-east-1
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
    description: Asks, and writes nothing.
  diff_mode:
    support: full
    description: Returns the list before and after.
  idempotent:
    support: full
    description: Prices that are as they were are written with the same day only once a day.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Renew the prices
  pipeops.platform.price_list:
    source: prices.csv
    path: prices.csv
  register: renewed
"""

RETURN = r"""
asked:
  description: How many prices AWS was asked for.
  returned: success
  type: int
  sample: 96
changes:
  description: Prices that are others now, each with C(service), C(item), C(region), C(before) and C(after).
  returned: success
  type: list
  elements: dict
  sample: []
kept:
  description: Prices that were asked for and kept as they were, each with a C(reason).
  returned: success
  type: list
  elements: dict
  sample: []
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.cost.money import CostError
from ansible_collections.pipeops.platform.plugins.module_utils.cost.prices import PriceList
from ansible_collections.pipeops.platform.plugins.module_utils.cost.refresh import API_REGIONS, ask, wanted
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws, describe_error, is_aws_error
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress

ARGUMENT_SPEC: dict[str, Any] = {
    "source": {"type": "path", "required": True},
    "path": {"type": "path", "required": True},
    "regions": {"type": "list", "elements": "str", "default": ["us-west-2", "us-east-1"]},
    "items": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "service": {"type": "str", "required": True},
            "item": {"type": "str", "required": True},
            "unit": {"type": "str", "default": "hour"},
        },
    },
    "max_change_percent": {"type": "float", "default": 50},
    "api_region": {"type": "str", "choices": list(API_REGIONS), "default": API_REGIONS[0]},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Renew a list of prices.

    Raises:
        EngineError: if the list cannot be read or written, or AWS cannot be asked.
    """
    source, target = Path(params["source"]), Path(params["path"])
    try:
        prices = PriceList.parse(source.read_text("utf-8"), str(source))
    except (OSError, CostError) as error:
        raise EngineError(f"The list of prices cannot be read: {error}") from error
    before = target.read_text("utf-8") if target.exists() else ""
    pairs = wanted(prices, params["regions"], params["items"])
    progress(f"asking for {len(pairs)} prices")
    today, limit = datetime.now(UTC).date().isoformat(), Decimal(str(params["max_change_percent"]))
    try:
        aws = Aws({**params, "region": params["api_region"]}, progress)
        found = ask(aws, params["api_region"], pairs, today, limit)
    except Exception as error:
        if not is_aws_error(error):
            raise
        raise EngineError(
            f"AWS could not be asked for prices in {params['api_region']}: {describe_error(error)}"
        ) from error
    after = prices.with_changes(renewal.after for renewal in found if not renewal.kept).text()
    if after != before and not check_mode:
        _write(target, after)
    return {
        "changed": after != before,
        "asked": len(pairs),
        "changes": [renewal.as_dict() for renewal in found if renewal.changed],
        "kept": [renewal.as_dict() for renewal in found if renewal.kept],
        "diff": {"before_header": str(target), "after_header": str(target), "before": before, "after": after},
    }


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise EngineError(f"The list of prices cannot be written: {error}") from error


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
