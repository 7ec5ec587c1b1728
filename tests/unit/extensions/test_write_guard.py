# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a guard decides, and in which order it asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import kubernetes_validate
import pytest
import yaml
from write_guard.database import Standing
from write_guard.guard import Step, decide, turn
from write_guard.settings import Settings, SettingsError
from write_guard.witness import Named, Silent, View

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
VARIABLES = {
    "WRITE_GUARD_ENVIRONMENT": "prod",
    "WRITE_GUARD_PAIR": "dr",
    "WRITE_GUARD_SERVICE": "prod",
    "WRITE_GUARD_REGION": "us-west-2",
    "WRITE_GUARD_ENDPOINT": "pipeops-prod.c1.us-west-2.rds.amazonaws.com",
    "WRITE_GUARD_SECRET": "pipeops/prod/database",
    "WRITE_GUARD_WITNESS_TABLE": "pipeops-prod-witness",
    "WRITE_GUARD_WITNESS_REGION": "us-east-2",
    "WRITE_GUARD_LEASE_SECONDS": "15",
}
SETTINGS = Settings.read(VARIABLES)
PRIMARY = Standing(NOON, standby=False, leased=True, slot="")
STANDBY = replace(PRIMARY, standby=True, slot="rds_us_west_2_db_a")
OURS, THEIRS = View(Named("prod", 1), "rds_us_east_1_db_b"), View(Named("dr", 2), None)


@pytest.mark.parametrize(
    ("standing", "view", "seconds", "expected"),
    [
        (PRIMARY, OURS, 15, Step.HOLD),
        (replace(PRIMARY, leased=False), OURS, 15, Step.HOLD),
        (PRIMARY, THEIRS, 15, Step.END),
        (replace(PRIMARY, leased=False), THEIRS, 15, Step.REST),
        (PRIMARY, None, 15, Step.ENFORCE),
        (replace(PRIMARY, leased=False), None, 15, Step.REST),
        (PRIMARY, View(None, None), 15, Step.ENFORCE),
        (STANDBY, OURS, 15, Step.REST),
        (STANDBY, THEIRS, 15, Step.REST),
        (STANDBY, None, 15, Step.REST),
        (PRIMARY, OURS, 0, Step.REMOVE),
        (PRIMARY, THEIRS, 0, Step.REMOVE),
        (replace(PRIMARY, leased=False), OURS, 0, Step.REST),
    ],
)
def test_what_there_is_to_do(standing: Standing, view: View | None, seconds: int, expected: Step) -> None:
    assert decide(replace(SETTINGS, lease_seconds=seconds), standing, view) is expected


class Both:
    """A database and a witness that note in which order they are asked."""

    def __init__(self, standing: Standing, view: View | None, *, hears: bool = True) -> None:
        self.standing, self.view, self.hears = standing, view, hears
        self.asked: list[tuple[Any, ...]] = []

    def look(self) -> Standing:
        self.asked.append(("look",))
        return self.standing

    def read(self) -> View:
        self.asked.append(("read",))
        if self.view is None:
            raise Silent("no route")
        return self.view

    def report(self, state: str, slot: str) -> None:
        self.asked.append(("report", state, slot))
        if not self.hears:
            raise Silent("throttled")

    def extend(self, *values: Any) -> None:
        self.asked.append(("extend", *values))

    def end(self, named: Named) -> None:
        self.asked.append(("end", named))

    def enforce(self) -> None:
        self.asked.append(("enforce",))

    def remove(self) -> None:
        self.asked.append(("remove",))


def test_the_server_tells_its_time_before_the_witness_is_asked() -> None:
    both = Both(PRIMARY, OURS)
    assert turn(SETTINGS, both, both) is Step.HOLD
    extended = ("extend", Named("prod", 1), NOON, "rds_us_east_1_db_b")
    assert both.asked == [("look",), ("read",), extended, ("report", "leads", "")]


def test_a_silent_witness_prolongs_nothing() -> None:
    both = Both(PRIMARY, None)
    assert turn(SETTINGS, both, both) is Step.ENFORCE
    assert both.asked == [("look",), ("read",), ("enforce",)]


def test_a_witness_that_names_the_other_side_ends_the_lease() -> None:
    both = Both(PRIMARY, THEIRS, hears=False)
    assert turn(SETTINGS, both, both) is Step.END
    assert ("end", Named("dr", 2)) in both.asked


def test_a_standby_tells_its_slot() -> None:
    both = Both(STANDBY, OURS)
    assert turn(SETTINGS, both, both) is Step.REST
    assert both.asked[-1] == ("report", "follows", "rds_us_west_2_db_a")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ENDPOINT", None, "WRITE_GUARD_ENDPOINT is not set"),
        ("LEASE_SECONDS", "soon", "no number"),
        ("LEASE_SECONDS", "5", "at least 12 or 0"),
        ("DATABASE", "postgres", "whose jobs would end"),
    ],
)
def test_settings_that_cannot_be_are_refused(name: str, value: str | None, said: str) -> None:
    given = {**VARIABLES, f"WRITE_GUARD_{name}": value}
    with pytest.raises(SettingsError, match=said):
        Settings.read({key: text for key, text in given.items() if text is not None})


def objects(image: str = "registry/write-guard:1", **more: object) -> list[dict[str, Any]]:
    """Return what the role write_guard applies."""
    template = Path(__file__).parents[3] / "roles" / "write_guard" / "templates" / "objects.yml.j2"
    text = template.read_text("utf-8").split("\n", 1)[1]
    given = {name.removeprefix("WRITE_GUARD_"): value for name, value in VARIABLES.items()} | {"PORT": 5432}
    known = {
        "write_guard_image": image, "write_guard_namespace": "write-guard", "write_guard_settings": given,
        "write_guard_database_cidrs": ["10.0.0.0/16"], "write_guard_role_arn": "",
    }  # fmt: skip
    template_of = jinja2.Template(text, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return [item for item in yaml.safe_load_all(template_of.render(known | more)) if item]


def test_the_deployment_names_settings_that_there_are() -> None:
    found = {item["kind"]: item for item in objects()}
    pod = found["Deployment"]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == found["ServiceAccount"]["metadata"]["name"]
    (container,) = pod["containers"]
    told = {one["name"]: one["value"] for one in container["env"]}
    settings = Settings.read(told)
    assert (settings.endpoint, settings.lease_seconds) == (SETTINGS.endpoint, 15)
    (mount,) = container["volumeMounts"]
    assert settings.alive_file.startswith(mount["mountPath"])


def test_kubernetes_takes_every_object() -> None:
    for item in objects():
        kubernetes_validate.validate(item, "1.36", strict=True)


def test_the_guard_reaches_what_it_asks_and_nothing_else() -> None:
    (policy,) = (item["spec"] for item in objects() if item["kind"] == "NetworkPolicy")
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy
    assert sorted(port["port"] for rule in policy["egress"] for port in rule["ports"]) == [53, 53, 80, 443, 5432]


def test_without_an_image_there_is_nothing_and_a_role_is_named_where_it_is_given() -> None:
    assert objects(image="") == []
    arn = "arn:aws:iam::123456789012:role/guard"
    (account,) = (item for item in objects(write_guard_role_arn=arn) if item["kind"] == "ServiceAccount")
    assert account["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": arn}
