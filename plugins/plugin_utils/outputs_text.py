# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Published outputs as text: a table for people, JSON for programs, dotenv for shells and containers."""

from __future__ import annotations

import io
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Documents = Mapping[str, Mapping[str, Any]]


def flat(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every value inside of another one with its path. A list of plain values counts as one; null is left out."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from flat(item, (*path, str(key)))
    elif isinstance(value, (list, tuple)) and any(isinstance(item, (Mapping, list, tuple)) for item in value):
        for number, item in enumerate(value):
            yield from flat(item, (*path, str(number)))
    elif value is not None:
        yield path, value


def plain(value: Any) -> str:
    """Return a value as a word: lists with commas, switches as ``true`` and ``false``."""
    if isinstance(value, (list, tuple)):
        return ",".join(plain(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_json(documents: Documents) -> str:
    """Return whole documents, by environment."""
    return json.dumps(documents, indent=2, sort_keys=True) + "\n"


def as_dotenv(documents: Documents) -> str:
    """Return one variable a line, e.g. ``PROD_DATABASE_PRIMARY_PORT=5432``; values are quoted as shells want it."""
    lines = []
    for environment, document in documents.items():
        told = {name: document.get(name) for name in ("version", "published_at", "region", "account_id")}
        for path, value in flat({**told, **document["outputs"]}):
            name = re.sub(r"[^A-Z0-9]+", "_", "_".join((environment, *path)).upper()).strip("_")
            lines.append(f"{name}={shlex.quote(plain(value))}")
    return "".join(f"{line}\n" for line in lines)


def as_table(documents: Documents) -> str:
    """Return a table for each environment, with when and how often it was published."""
    from rich.console import Console  # noqa: PLC0415 - a tenth of a second that only this moment needs
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    # Wide enough for every value: what is copied from a table must be whole.
    console = Console(file=io.StringIO(), width=500, highlight=False)
    for environment, document in documents.items():
        head = f"version {document.get('version', 0)}, {document['published_at']}, schema {document['schema']}"
        table = Table(box=None, show_header=False, pad_edge=False)
        for path, value in flat(document["outputs"]):
            table.add_row(Text(".".join(path), style="bold"), Text(plain(value)))
        console.print(Text(f"{environment} · {document['region']} · {head}"))
        console.print(table)
        console.print()
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "".join(f"{line.rstrip()}\n" for line in text.rstrip().splitlines())


FORMATS: Mapping[str, Callable[[Documents], str]] = {"table": as_table, "json": as_json, "dotenv": as_dotenv}
