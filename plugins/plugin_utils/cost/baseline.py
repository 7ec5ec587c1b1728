# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run is compared with: an earlier report, other inventories, or the inventories of a commit of git."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ansible.parsing.dataloader import DataLoader

from ...module_utils.cost.estimate import Estimate
from ...module_utils.cost.money import CostError
from ...module_utils.cost.prices import PriceList
from ..environments import COLLECTION, defaults_of, read, specs_of
from .pricing import priced


@dataclass(frozen=True)
class Run:
    """What a baseline is looked for beside.

    Attributes:
        sources: the inventories of this run.
        prices: its list of prices. Both sides are priced by it, so that only what was changed shows.
        loader: reads files, and knows the passwords of those that are encrypted.
    """

    sources: Sequence[Path]
    prices: PriceList
    loader: DataLoader = field(default_factory=DataLoader)


def baseline(base: str, run: Run) -> list[Estimate]:
    """Return the estimates that a run is compared with.

    Args:
        base: a JSON report, a folder with inventories of the same names, or a commit of git.

    Raises:
        CostError: if it is none of these.
    """
    path = Path(base).expanduser()
    if path.is_file():
        return _from_report(path)
    if path.is_dir():
        return _from_folders([path / source.name for source in run.sources], COLLECTION, run)
    return _from_commit(base, run)


def _from_report(path: Path) -> list[Estimate]:
    try:
        found = json.loads(path.read_text("utf-8"))["environments"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CostError(f"{path} is no report of cost: {error}. Name a cost.json.") from error
    return [Estimate.from_dict(one) for one in found]


def _from_folders(folders: Sequence[Path], collection: Path, run: Run) -> list[Estimate]:
    """Price inventories; those that are not there are environments that are new."""
    there = [folder for folder in folders if folder.exists()]
    specs, defaults = specs_of(collection), defaults_of(collection)
    hosts = read(there, specs, run.loader) if there else ()
    return [priced(host, defaults, specs, run.prices) for host in hosts]


def _from_commit(commit: str, run: Run) -> list[Estimate]:
    top = Path(_git(run.sources[0].parent, "rev-parse", "--show-toplevel").decode().strip()).resolve()
    sources = [source.resolve() for source in run.sources]
    outside = [str(source) for source in sources if not source.is_relative_to(top)]
    if outside:
        raise CostError(f"{', '.join(outside)} is not in {top}, so {commit!r} cannot have it.")
    # Where the roles really are: a checkout leads to them by links.
    roles = (COLLECTION / "roles").resolve()
    wanted = [path.relative_to(top) for path in (*sources, roles) if path.is_relative_to(top)]
    with _checked_out(top, commit, wanted) as folder:
        # An older collection has its own defaults, and they are part of the change.
        older = folder / roles.relative_to(top) if roles.is_relative_to(top) else roles
        collection = older.parent if older.is_dir() else COLLECTION
        return _from_folders([folder / source.relative_to(top) for source in sources], collection, run)


@contextmanager
def _checked_out(top: Path, commit: str, paths: Sequence[Path]) -> Iterator[Path]:
    """Lay out some paths of a commit in a folder of their own, for as long as the block runs."""
    name = _git(top, "rev-parse", "--verify", "--end-of-options", f"{commit}^{{commit}}").decode().strip()
    there = [str(path) for path in paths if _git(top, "ls-tree", name, "--", str(path))]
    with tempfile.TemporaryDirectory(prefix="pipeops-cost-") as folder:
        if there:
            packed = _git(top, "archive", "--format=tar", name, "--", *there)
            with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
                archive.extractall(folder, filter="data")
        yield Path(folder)


def _git(folder: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603 - git, with a commit's name
    except FileNotFoundError as error:
        raise CostError("There is no git here, and cost_base is neither a file nor a folder.") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip()
        raise CostError(
            f"git {arguments[0]} failed in {folder}: {said}. cost_base is a JSON report, a folder of inventories, or a "
            "commit of this repository."
        ) from error
