"""Errors as AWS answers them."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class AwsError(ServiceException):
    """An error with the code and the message that AWS gives.

    moto serialises it in the protocol of the service that raised it. The HTTP status
    comes from the service model, or is 400 where the model does not list the code.

    Args:
        code: the code on the wire, e.g. ``InvalidDBInstanceState``.
        message: the sentence that goes with it.
        fields: further members of the modelled error, e.g. ``clusterName``.
    """

    def __init__(self, code: str, message: str, **fields: object) -> None:
        super().__init__(code, message)
        for name, value in fields.items():
            setattr(self, name, value)
