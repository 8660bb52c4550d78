# Short names for `cargo xtask`, which does the work.

# List the recipes.
default:
    @just --list

# A commit becomes objects in a real cluster, start to end (`just demo --keep` leaves it up).
demo *args:
    cargo xtask demo {{args}}

# Formatting, lints, every test, docs: what CI runs.
test *args:
    cargo xtask test {{args}}

# Formatting and lints only.
lint:
    cargo xtask lint

# The weir binary with its built-in plugins (`just build --release`).
build *args:
    cargo xtask build {{args}}

# The components alone: plugins, test guests, examples.
components:
    cargo xtask components

# Measure (`just bench kustomizations --n 100`).
bench *args:
    cargo xtask bench {{args}}

# Coverage-guided fuzzing (`just fuzz archive --seconds 3600`).
fuzz *args:
    cargo xtask fuzz {{args}}

# Random commits, edits, deletions and faults (`just soak --minutes 20`).
soak *args:
    cargo xtask soak {{args}}

# Format all code.
fmt:
    cargo xtask fmt

# API documentation.
docs:
    cargo xtask docs
