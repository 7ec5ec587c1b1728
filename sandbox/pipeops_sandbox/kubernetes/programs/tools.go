//go:build tools

// Keeps what is built beside the control plane in go.mod: helm's main package cannot be imported by a program.
package main

import _ "helm.sh/helm/v3/cmd/helm"
