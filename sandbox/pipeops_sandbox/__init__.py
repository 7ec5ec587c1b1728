"""AWS on loopback, with AWS's rules: moto in one process, plus what it lacks."""

from __future__ import annotations

import os

# moto reads its settings from the environment when it is first imported, so they are set before that.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
os.environ.setdefault("MOTO_DISABLE_GLOBAL_CORS", "true")
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
