"""Real PostgreSQL servers behind the emulated RDS: one for each DB instance, on loopback."""
