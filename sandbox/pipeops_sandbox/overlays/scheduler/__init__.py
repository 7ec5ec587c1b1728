"""EventBridge Scheduler: schedules that are checked as AWS checks them, and fire on the sandbox's clock."""

from __future__ import annotations

from .firing import settle
from .responses import register

__all__ = ["register", "settle"]
