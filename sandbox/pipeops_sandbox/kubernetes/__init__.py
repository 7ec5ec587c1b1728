"""Real Kubernetes API servers behind the emulated EKS: one for each cluster, on loopback."""
