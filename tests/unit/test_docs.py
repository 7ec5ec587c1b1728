# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages are true to the code: messages that they explain exist, and pictures show what the inventories say."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"
PICTURE = ROOT / "docs" / "topology.svg"
MESSAGES = re.findall(r"^### `(.+)`$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
#: Every page that people read, and what in it leads to another file of the repository.
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "roles/*/README.md", "sandbox/*.md", "extensions/*/*.md", "examples/*/*.md")
    for path in ROOT.glob(pattern)
)
LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
#: Where one literal of Python ends and the next one goes on with the same text.
SEAM = re.compile(r"""["']\s*\n\s*f?["']""")


@cache
def sources() -> list[str]:
    """Return the text of whatever can print a message, with its literals joined and its spaces made single."""
    folders = ("plugins", "playbooks", "roles")
    paths = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".yml"))
    return [" ".join(SEAM.sub("", path.read_text("utf-8")).split()) for path in paths]


def test_there_are_messages() -> None:
    assert len(MESSAGES) > 15
    assert len(MESSAGES) == len(set(MESSAGES))


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_that_is_explained_exists(message: str) -> None:
    parts = [part.strip() for part in message.split("…") if part.strip(" :,.")]
    assert any(all(part in text for part in parts) for text in sources()), parts


def anchors(page: Path) -> set[str]:
    """Return the names that GitHub and the site give the headings of a page."""
    text = FENCED.sub("", page.read_text("utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    text = FENCED.sub("", (ROOT / page).read_text("utf-8"))
    for name, fragment in LINK.findall(text):
        target = (ROOT / page).parent / name if name else ROOT / page
        assert target.exists(), f"{page} links to {name}"
        assert not fragment or fragment in anchors(target), f"{page} links to {name}#{fragment}"


def script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / name), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_the_picture_is_that_of_the_inventories() -> None:
    done = script("topology.py", "--check")
    assert done.returncode == 0, done.stderr


def test_the_picture_shows_each_environment() -> None:
    drawn = ElementTree.parse(PICTURE)  # noqa: S314 - we drew it
    texts = [element.text for element in drawn.iter() if element.tag.endswith("}text")]
    for name in ("dev", "staging", "prod", "dr", "us-west-2", "us-east-1"):
        assert texts.count(name) == 1
    assert "EKS Auto Mode, 3 to 10 nodes" in texts
    assert "read replicas in a, c" in texts
    assert "us-east-2: witness of who leads" in texts
