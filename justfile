# The daily commands; `just` lists them. `cargo up`, `cargo lint`, `cargo house` and `cargo ctl` do
# without just.

[private]
default:
    @just --list --unsorted

# run everything in one process tree; `just up --empty`, `just up --data DIR`
up *args:
    cargo up {{ args }}

# the operator's tool: `just ctl search "gaming mouse"`
ctl *args:
    cargo ctl {{ args }}

# every test; `just test catalog-query` those of one crate
test crate="":
    cargo test --locked {{ if crate == "" { "--workspace" } else { "--package " + crate } }}

# the rules of the house, with a line of figures for every crate
house:
    cargo house

# formatting, lints and spelling, as CI checks them
lint:
    cargo fmt --all --check
    cargo lint
    typos

# write the formatting
fmt:
    cargo fmt --all

# this machine's figures beside their limits; `just bench --only search`
bench *args:
    cargo run --profile dist --package catalogctl -- bench {{ args }}

# seeded faults on real processes; `just chaos --seed 1 --schedules 20`
chaos *args:
    cargo ctl chaos {{ args }}

# the documentation of our crates, with every warning an error
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# write the generated code anew after a change of a proto
proto:
    UPDATE_PROTO=1 cargo test --locked --package catalog-proto

# write the schemas of messages anew after a change of their types
events:
    UPDATE_EVENTS=1 cargo test --locked --package catalog-events schema

# licences, advisories, unused dependencies
dependencies:
    cargo deny check
    cargo machete

# all that must hold before a change lands
ci:
    .ci/run
