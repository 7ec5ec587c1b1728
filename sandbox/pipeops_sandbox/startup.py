"""What makes the start quick. It is to be called before moto is imported, so this module imports nothing of it."""

from __future__ import annotations

import functools
import gc
from collections.abc import Iterator
from contextlib import contextmanager

import botocore.loaders


def share_service_models() -> None:
    """Let all botocore sessions of the process read each data file once.

    moto makes a session for each partition and for many a service, and each would read
    botocore's endpoints anew: a quarter of a second.
    """
    botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)


@contextmanager
def without_collections() -> Iterator[None]:
    """Load modules and models without looking for garbage in them.

    A million objects come and stay. Looking through them again and again doubles the time that the start
    takes; they are left out of all later collections too.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
