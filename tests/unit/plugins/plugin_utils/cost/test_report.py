# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forms of a report: tables, Markdown, a page, JSON."""

from __future__ import annotations

import re
from datetime import date
from xml.etree import ElementTree

import pytest
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.markdown import MARK, headline, markdown
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.page import page
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.plan import price_of, sum_line, with_price
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.report import PriceFacts
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.tables import text

from tests.unit.plugins.module_utils.cost.shipped import estimated

from .reports import changed, report

UNKNOWN = {"rds_instance_class": "db.r8g.large", "cost_usage": {"nodes": 3}}


@pytest.mark.parametrize(
    ("as_of", "said"),
    [
        (date(2026, 9, 29), ""),
        (date(2026, 5, 5), ""),
        (date(2026, 5, 4), "The prices are of 2026-05-04, 181 days ago."),
        (None, "says no date"),
    ],
)
def test_old_prices_are_told(as_of: date | None, said: str) -> None:
    warning = PriceFacts(as_of, date(2026, 11, 1), 180).warning
    assert said in warning
    assert bool(warning) == bool(said)


def test_tables_show_counts_prices_and_all_columns() -> None:
    shown = text(report(estimated("prod")), colour=False)
    row = next(line for line in shown.splitlines() if "EC2 m5.large" in line)
    assert row.split() == ["EC2", "m5.large", "3", "/", "6", "/", "0", "nodes", "$70.08", "$210.24", "$420.48", "$0.00"]
    assert "depends on usage: " in shown
    assert "would be $935.74 over it with the most nodes" in " ".join(shown.split())


def test_what_has_no_price_or_no_quantity_is_never_nought() -> None:
    found = report(estimated("staging", **UNKNOWN))
    shown, page_text, comment = text(found, colour=False), page(found), markdown(found)
    row = next(line for line in shown.splitlines() if "db.r8g.large" in line)
    assert row.split()[-4:] == ["unpriced"] * 4
    assert "$0.00" not in row
    assert re.search(r"db\.r8g\.large Multi-AZ \| 1 \| instances \| unpriced \| unpriced", comment)
    assert "| Data through NAT \\* |  | GB | $0.045 per GB | by usage | by usage | by usage |" in comment
    assert "unpriced" in page_text
    assert (
        found.warnings[0] == "staging has lines without a price, which are in no total: Primary, db.r8g.large Multi-AZ."
    )


def test_totals_alone_are_short() -> None:
    shown = text(report(estimated("dev"), estimated("prod")), details=False, colour=False)
    assert "EC2" not in shown
    assert "$2,396.91" in shown


def test_a_pull_request_shows_what_changes_to_the_cent() -> None:
    found = changed("dev", eks_node_maximum=5)
    comment = markdown(found)
    assert comment.startswith(MARK)
    assert headline(found) == "±$0.00 (fewest nodes), ±$0.00 (ordinary month), +$40.41 (most nodes)"
    assert "| dev | $277.64 | $277.64 | $414.42 → $454.83 (+$40.41) | $500.00: within |" in comment
    assert "| `~` | dev | EC2 t3.medium | 2 / 2 / 4 → 2 / 2 / 5 | $30.37 | ±$0.00 | ±$0.00 | +$30.37 |" in comment
    assert comment.index("### What changes") < comment.index("<details>")


def test_a_budget_that_is_crossed_is_told_once() -> None:
    comment = markdown(changed("staging", platform_budget_usd_month=700))
    assert "> With this change, staging would be over budget." in comment
    assert "[!WARNING]" not in comment


def test_no_change_is_said_as_such() -> None:
    assert headline(changed("dev")) == "no change"
    assert "### What changes" not in markdown(changed("dev"))
    assert "Nothing has changed." in page(changed("dev"))


def test_the_page_needs_nothing_else() -> None:
    shown = page(changed("prod", eks_node_maximum=12))
    assert not re.findall(r"<(script|link|img|iframe)\b", shown)
    assert not re.findall(r"(?:src|@import|url\()\s*=?\s*[\"']?http", shown)
    drawing = ElementTree.fromstring(shown[shown.index("<svg") : shown.index("</svg>") + 6])  # noqa: S314 - drawn here
    assert drawing.tag.endswith("svg")
    assert "+$280.32" in shown
    assert "budget $2,500" in shown


def test_the_page_escapes_what_inventories_say() -> None:
    assert "<b>x" not in page(report(estimated("dev", eks_node_instance_types=["<b>x"])))


def test_a_plan_says_what_its_creations_cost() -> None:
    attributes = {"instance_class": "db.r6g.large", "multi_az": True, "storage_gib": 100}
    differences = [{"attribute": name, "before": None, "after": value} for name, value in attributes.items()]
    database = with_price({"verb": "create", "kind": "rds_instance", "differences": differences}, "us-west-2")
    subnet = with_price({"verb": "create", "kind": "ec2_subnet", "differences": []}, "us-west-2")
    cluster = with_price({"verb": "create", "kind": "eks_cluster", "differences": []}, "us-west-2")
    bucket = with_price({"verb": "create", "kind": "s3_bucket", "differences": []}, "us-west-2")
    actions = [database, subnet, cluster, bucket]
    assert [price_of(action) for action in actions] == ["$351.50", "", "$73.00 and nodes", "by usage"]
    assert sum_line(actions) == "what is created costs $424.50 a month, beside nodes and what depends on usage"
    assert sum_line([subnet]) == ""
    assert "monthly" not in with_price({"verb": "delete", "kind": "kms_key", "differences": []}, "us-west-2")
