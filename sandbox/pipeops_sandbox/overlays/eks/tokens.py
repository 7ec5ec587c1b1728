"""``clientRequestToken``: a request that is sent again changes nothing and gets the first answer again."""

from __future__ import annotations

import copy
import json

from .call import Answer, Call, Handler, invalid_parameter
from .state import EksState, TokenRecord

REMEMBERED_SECONDS = 24 * 3600.0
"""How long a token is kept. AWS gives no number for EKS; a day is EC2's order of magnitude (unconfirmed)."""


def answer_once(state: EksState, name: str, call: Call, handler: Handler) -> Answer:
    """Run an operation, or repeat the answer that its token got before.

    Raises:
        AwsError: InvalidParameterException when a token comes back with other parameters.
    """
    token = call.get("clientRequestToken")
    if not token:
        return handler(call)
    _forget_old(state, call.now)
    fingerprint = json.dumps(dict(call.params), sort_keys=True, default=str)
    known = state.tokens.get((name, token))
    if known is None:
        answer = handler(call)
        cluster, until = call.get("clusterName") or call["name"], call.now + REMEMBERED_SECONDS
        state.tokens[name, token] = TokenRecord(cluster, fingerprint, copy.deepcopy(answer), until)
        return answer
    if known.fingerprint != fingerprint:
        raise invalid_parameter(f"clientRequestToken {token} was used before with other parameters")
    return known.answer


def forget_answers_about(state: EksState, arn: str) -> None:
    """Forget the tokens that made a resource once it is deleted, so that the same request makes it anew."""
    quoted = json.dumps(arn)
    stale = [key for key, record in state.tokens.items() if quoted in json.dumps(record.answer, default=str)]
    for key in stale:
        del state.tokens[key]


def forget_answers_in(state: EksState, cluster: str) -> None:
    """Forget every token of a cluster that is gone."""
    for key in [key for key, record in state.tokens.items() if record.cluster == cluster]:
        del state.tokens[key]


def _forget_old(state: EksState, now: float) -> None:
    for key in [key for key, record in state.tokens.items() if record.until < now]:
        del state.tokens[key]
