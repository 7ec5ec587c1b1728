# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import subprocess
from typing import Any

from ansible_collections.pipeops.platform.plugins.plugin_utils.outputs_text import as_dotenv, as_json, as_table, flat

DOCUMENT: dict[str, Any] = {
    "schema": 1,
    "version": 3,
    "published_at": "2026-11-25T16:39:05+00:00",
    "environment": "prod",
    "region": "us-west-2",
    "account_id": "012345678901",
    "outputs": {
        "network": {"zones": ["us-west-2a", "us-west-2b"], "nat": None},
        "database": {
            "multi_az": True,
            "replicas": [{"endpoint": "b.example"}, {"endpoint": "c.example"}],
            "port": 5432,
        },
        "dns": {"records": {"database": "it's $HOME"}},
    },
}


def test_every_value_has_a_path() -> None:
    assert dict(flat(DOCUMENT["outputs"])) == {
        ("network", "zones"): ["us-west-2a", "us-west-2b"],
        ("database", "multi_az"): True,
        ("database", "replicas", "0", "endpoint"): "b.example",
        ("database", "replicas", "1", "endpoint"): "c.example",
        ("database", "port"): 5432,
        ("dns", "records", "database"): "it's $HOME",
    }


def test_a_shell_reads_what_was_published() -> None:
    text = as_dotenv({"prod": DOCUMENT})
    assert "PROD_DATABASE_REPLICAS_1_ENDPOINT=c.example\n" in text
    assert "PROD_VERSION=3\nPROD_PUBLISHED_AT=2026-11-25T16:39:05+00:00\n" in text
    script = f'{text}printf "%s|" "$PROD_NETWORK_ZONES" "$PROD_DATABASE_MULTI_AZ" "$PROD_DNS_RECORDS_DATABASE"'
    read = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert read == "us-west-2a,us-west-2b|true|it's $HOME|"


def test_programs_get_the_documents() -> None:
    assert json.loads(as_json({"prod": DOCUMENT})) == {"prod": DOCUMENT}


def test_people_get_a_line_for_each_value() -> None:
    text = as_table({"prod": DOCUMENT})
    head, *lines = text.splitlines()
    assert head == "prod · us-west-2 · version 3, 2026-11-25T16:39:05+00:00, schema 1"
    assert [line.split()[0] for line in lines] == [
        "network.zones",
        "database.multi_az",
        "database.replicas.0.endpoint",
        "database.replicas.1.endpoint",
        "database.port",
        "dns.records.database",
    ]
