# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an environment tells others: a JSON document in its bucket."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..engine.errors import EngineError
from ..engine.layer import Context, Layer, View
from ..engine.model import Wanted
from ..engine.values import is_pending
from ..resources.s3_document import S3Document

DOCUMENT = ("s3_document", "outputs")
#: The shape of the document; a reader refuses one that it does not know.
SCHEMA = 1
#: Names of values that nobody may read in a bucket. Where a secret is (its ARN) may be told.
SECRET = re.compile(r"password|secret_value|token|private_key", re.IGNORECASE)
#: What is secret whatever it is called: private keys, access keys of AWS, addresses with a password in them.
SECRET_TEXT = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(AKIA|ASIA)[A-Z0-9]{16}\b|://[^/\s:@]*:[^/\s@]+@")


def default_key(environment: str) -> str:
    """Return the key of an environment's document if none is set."""
    return f"outputs/{environment}.json"


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the document."""
    secrets = sorted(secret_paths(params["outputs"]))
    if secrets:
        raise EngineError(
            f"Refused, nothing was changed. These outputs of {context.identity.prefix} in {context.region} look "
            f"secret: {', '.join(secrets)}. Publish the ARN of a secret in Secrets Manager instead of its value, or "
            "rename them if they are none."
        )
    document = {
        "schema": SCHEMA,
        "environment": context.identity.environment,
        "platform": context.identity.platform,
        "region": context.region,
        "account_id": context.aws.account_id,
        "outputs": _as_json(params["outputs"]),
    }
    attributes = {
        "bucket": params["bucket"],
        "key": params["key"] or default_key(context.identity.environment),
        "document": document,
        "kms_key_arn": params["kms_key_arn"],
    }
    return [Wanted(*DOCUMENT, attributes)]


def _as_json(outputs: Mapping[str, Any]) -> Any:
    """Return outputs as they read once they have been through JSON, so that they compare equal."""
    return json.loads(json.dumps(outputs))


def secret_paths(value: object, path: str = "outputs", suspect: bool = False) -> Iterator[str]:
    """Yield the path of every text that is named or looks like a secret, and is neither an ARN nor a placeholder."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from secret_paths(item, f"{path}.{key}", suspect or bool(SECRET.search(str(key))))
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from secret_paths(item, f"{path}[{number}]", suspect)
    elif isinstance(value, str) and (_named_secret(value, suspect) or SECRET_TEXT.search(value)):
        yield path


def _named_secret(value: str, suspect: bool) -> bool:
    return suspect and value != "" and not value.startswith("arn:") and not is_pending(value)


def outputs(view: View, _params: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the document is, when and how often it was written, and what it says."""
    return {name: view.get(*DOCUMENT, name) for name in ("bucket", "key", "published_at", "version", "document")}


LAYER = Layer("outputs", (S3Document(),), build, outputs)
