"""AWS on loopback, with AWS's rules: moto in one process, plus what it lacks."""
