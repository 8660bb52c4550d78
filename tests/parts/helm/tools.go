//go:build tools

// Package tools names the command that the recipe builds, so that `go mod tidy` keeps all it
// needs in go.mod and go.sum.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
