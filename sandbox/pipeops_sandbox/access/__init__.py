"""Who may do what: each call is authorised as IAM does it, if the sandbox is told to."""
