// Only the flux CLI: its main embeds files that the module lacks, so the recipe copies the module
// out and builds it there, under its own go.mod. This one pins and verifies the module.
module weir.dev/tests/parts/flux

go 1.25.0

require github.com/fluxcd/flux2/v2 v2.9.5
