# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the documentation as a site: the pages of ``docs``, of roles and others, and the reference of all plugins.

``docs/index.md`` is its navigation, section by section; pages that no section names are listed under "More". A warning
is an error, so a link that leads nowhere fails the build. Nothing is asked of the network.

Exit status: 0 the site is built; 1 something is wrong with a page, which is said.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

ROOT = Path(__file__).parent.parent
COLLECTION = "pipeops.platform"
HOME = "docs/index"
#: Where pages, and what they link to, are.
SOURCES = ("docs", "examples", "extensions", "roles", "sandbox/README.md", ":(glob)*.md", "LICENSE")
SETTINGS: dict[str, Any] = {
    "project": COLLECTION,
    "copyright": "PipeOps Platform contributors, GPL-3.0-or-later",
    "root_doc": HOME,
    "extensions": ["myst_parser", "sphinx_antsibull_ext"],
    "html_theme": "furo",
    "html_title": COLLECTION,
    "html_copy_source": False,
    # Fragments of links are those that GitHub makes of headings.
    "myst_heading_anchors": 4,
}
#: Where Ansible's own pages are; they are linked, and not asked.
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest"
LABEL = re.compile(r"ansible_collections\.(?P<collection>\w+\.\w+)\.(?P<page>\w+?)(__.*)?")
LABELS = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "callback_plugins": "plugins/callback.html",
    "common_return_values": "reference_appendices/common_return_values.html",
    "list_of_collections": "collections/index.html",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the site, and say where it is."""
    parser = argparse.ArgumentParser(description="Build the documentation as a site.")
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "docs", help="its folder, build/docs if not given")
    target: Path = parser.parse_args(arguments).to
    source = target.with_name(f"{target.name}-source")
    for folder in (source, target):
        shutil.rmtree(folder, ignore_errors=True)
    gather(source)
    write_reference(source / "reference")
    home = source / f"{HOME}.md"
    home.write_text(home.read_text("utf-8") + "".join(navigation(source)), "utf-8")
    status = render(source, target)
    if not status:
        (target / "index.html").write_text(f'<meta http-equiv="refresh" content="0; url={HOME}.html">\n', "utf-8")
        print(f"{target}: open {HOME}.html")  # noqa: T201 - this is a command
    return status


def gather(folder: Path) -> None:
    """Copy what the site is made of, as far as git knows it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *SOURCES]
    listed = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)


def write_reference(folder: Path) -> None:
    """Write the pages of modules, roles and other plugins, from their documentation."""
    folder.mkdir()
    # The tool insists on it, as others could put links there.
    folder.chmod(0o700)
    command = ["antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error"]
    subprocess.run([*command, "--dest-dir", str(folder), COLLECTION], check=True, cwd=ROOT)


def navigation(source: Path) -> Iterator[str]:
    """Yield the tables of contents that follow from the sections of the home page, and one of what they leave out."""
    pages = {_name(source, path) for path in source.rglob("*.md")} - {HOME}
    for section in re.split(r"^## ", (source / f"{HOME}.md").read_text("utf-8"), flags=re.MULTILINE)[1:]:
        links = re.findall(r"\]\(([^)#:]+)\.md\)", section)
        named = [_absolute(link) for link in links]
        pages -= set(named)
        if named:
            yield contents(section.partition("\n")[0], named)
    roles = sorted(page for page in pages if page.startswith("roles/"))
    if rest := sorted(pages - set(roles)):
        yield contents("More", rest)
    yield contents("Roles", roles)
    yield contents("Reference", ["reference/index"])


def contents(caption: str, pages: Sequence[str]) -> str:
    """Return a table of contents, which shows at the side alone."""
    lines = "\n".join(f"/{page}" for page in pages)
    return f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{lines}\n```\n"


def _absolute(link: str) -> str:
    """Return the page that a link of the home page leads to."""
    parts: list[str] = []
    for part in (PurePosixPath(HOME).parent / link).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def _name(source: Path, path: Path) -> str:
    return path.relative_to(source).with_suffix("").as_posix()


def render(source: Path, target: Path) -> int:
    """Write the HTML; return 1 if there was any warning."""
    caches = source.with_name(f"{source.name}-cache")
    shutil.rmtree(caches, ignore_errors=True)
    site = Sphinx(source, None, target, caches, "html", SETTINGS, status=None, warningiserror=True)
    site.connect("missing-reference", elsewhere)
    site.build()
    return site.statuscode


def elsewhere(_site: Sphinx, _pages: BuildEnvironment, node: nodes.Element, shown: nodes.Element) -> nodes.Node | None:
    """Return the link to a page of Ansible's documentation; None if it should be one of ours."""
    page = LABELS.get(node["reftarget"])
    found = LABEL.fullmatch(node["reftarget"])
    if found and found["collection"] != COLLECTION:
        page = f"collections/{found['collection'].replace('.', '/')}/{found['page']}.html"
    return nodes.reference("", "", shown, internal=False, refuri=f"{ANSIBLE}/{page}") if page else None


if __name__ == "__main__":
    sys.exit(main())
