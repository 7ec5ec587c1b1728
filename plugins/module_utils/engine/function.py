# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running one of our functions as an ordinary module, wherever the task's connection leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from .aws import describe_error, is_aws_error
from .errors import EngineError


@contextmanager
def refusals_as(what: str, mend: str = "") -> Iterator[None]:
    """Turn what AWS refuses within the block into an error for people.

    Args:
        what: the beginning of the sentence: what could not be done, to which resource, in which region.
        mend: what to do beside what AWS's own code suggests.
    """
    try:
        yield
    except Exception as error:
        if not is_aws_error(error):
            raise
        raise EngineError(" ".join(filter(None, (f"{what}: {describe_error(error)}", mend)))) from error


def run_function(run: Callable[..., dict[str, Any]], argument_spec: Mapping[str, Any]) -> None:
    """Run a function of a module's options and return its result as Ansible does."""
    module = AnsibleAWSModule(argument_spec=dict(argument_spec), supports_check_mode=True)
    try:
        result = run(module.params, check_mode=module.check_mode, progress=lambda _text: None)
    except EngineError as error:
        module.fail_json(msg=str(error))
    else:
        module.exit_json(**{"changed": False, **result})
