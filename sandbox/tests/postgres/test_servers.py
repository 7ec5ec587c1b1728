"""A DB instance is a real server: its name, its user, its parameters, its groups, its snapshots."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="module")
def main(program: Any, west: str) -> Any:
    """A primary named main."""
    program.create("main", west)
    return program


def test_a_primary_answers_by_its_name(main: Any) -> None:
    assert main.rows("SELECT current_user || ' ' || current_database()") == ["dbadmin app"]
