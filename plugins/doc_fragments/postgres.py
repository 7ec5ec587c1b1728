# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation that all modules share that talk to PostgreSQL."""

from __future__ import annotations


class ModuleDocFragment:
    """How a server is reached, and as whom."""

    DOCUMENTATION = r"""
requirements:
  - psycopg >= 3.2
  - dnspython >= 2.6
notes:
  - The password is read from the secret for the connection, and is neither an option nor a result.
  - C(community.postgresql) takes the password as an option and runs one statement a task, each in an interpreter of its
    own. In the minutes of a failover the steps here are one task each, in the controller's process.
options:
  endpoint:
    description: The host name of the server, as RDS gives it out, or a name that leads to it.
    type: str
    required: true
  port:
    description: Its port.
    type: int
    default: 5432
  secret_name:
    description:
      - Name or ARN of the secret that holds C(username) and C(password) of the master user.
      - It is read in O(region). While a region is down, name the other one, where its copy is.
    type: str
    required: true
  database:
    description: The database that applications use.
    type: str
    default: app
  connect_timeout:
    description: Seconds for one try to connect.
    type: int
    default: 5
  ssl_mode:
    description:
      - How the connection is encrypted, as in libpq; V(require) if neither this nor E(PGSSLMODE) is set.
      - V(verify-full) also holds the certificate against the bundle that E(PGSSLROOTCERT) names.
    type: str
    choices: [disable, allow, prefer, require, verify-ca, verify-full]
  dns_servers:
    description:
      - DNS servers that know the private names, each as C(ADDRESS) or C(ADDRESS:PORT), e.g. the inbound endpoints of
        Route 53 Resolver. E(PIPEOPS_DNS_SERVERS) if not set, a list with commas; else those of the system.
    type: list
    elements: str
  wait_timeout:
    description: The longest wait, in seconds.
    type: int
    default: 600
  wait_delay:
    description: The longest pause between two looks, in seconds.
    type: float
    default: 1
attributes:
  check_mode:
    support: full
    description: Connects and reads, and changes nothing.
"""
