//! The one engine of a process and its settings.
//!
//! Everything here is part of what precompiled code depends on: a change makes every cached file
//! compile anew, and the build's `weir-precompile` has to use the same settings.

use std::hash::{DefaultHasher, Hash, Hasher};

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
};

/// Native stack of a guest; a deeper recursion is a trap. Host functions need some of the thread's
/// two megabytes besides.
const MAX_WASM_STACK: usize = 1 << 20;

/// Address space per linear memory. Four gigabytes and the guard behind them let compiled code
/// go without bounds checks; it is reserved, not used.
const RESERVATION: u64 = 4 << 30;

/// Core instances, and tables, of one component.
const MAX_PARTS: u32 = 64;

/// Slots that stay warm between calls: what they keep resident is what an idle host costs.
const WARM: u32 = 4;

/// What every engine of weir has in common.
fn base() -> Config {
    let mut config = Config::new();
    config
        // The contract is synchronous; without the async component model a call costs a fifth.
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(MAX_WASM_STACK)
        // A render has to give the same bytes on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .cranelift_opt_level(OptLevel::Speed)
        .memory_reservation(RESERVATION)
        .memory_init_cow(true)
        // Traps name functions; offsets into them would make the code files a third larger.
        .generate_address_map(false)
        .native_unwind_info(false);
    config
}

/// Code that runs on any machine of the target, not only on those with this one's features.
pub(crate) fn portable(target: &str) -> wasmtime::Result<Engine> {
    let mut config = base();
    config.target(target)?;
    Engine::new(&config)
}

/// The engine that runs plugins, `calls` at a time: pooled where the address space allows it.
pub(crate) fn native(calls: u32) -> wasmtime::Result<Engine> {
    let mut config = base();
    let mut pool = PoolingAllocationConfig::new();
    // A component is several core instances: its module, shims and, for Python, shared libraries;
    // one such component has to fit whatever the number of calls. QuickJS brings three memories.
    pool.total_component_instances(calls)
        .total_core_instances((calls * 16).max(MAX_PARTS))
        .max_core_instances_per_component(MAX_PARTS)
        .total_memories(calls * 4)
        .max_memories_per_component(4)
        .total_tables((calls * 16).max(MAX_PARTS))
        .max_tables_per_component(MAX_PARTS)
        .total_gc_heaps(calls)
        .total_stacks(1)
        .max_memory_size(usize::try_from(RESERVATION).unwrap_or(usize::MAX))
        .table_elements(20_000)
        // A few slots keep their first pages and clear only those that were written, where the
        // kernel can tell: a page fault costs more than its page. All others give theirs back.
        .linear_memory_keep_resident(1 << 20)
        .pagemap_scan(Enabled::Auto)
        .table_keep_resident(0)
        .max_unused_warm_slots(WARM);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    match Engine::new(&config) {
        Ok(engine) => Ok(engine),
        Err(error) => {
            // A limit on address space (ulimit -v) refuses the reservation.
            tracing::warn!(%error, "no pooled instances, allocating on demand");
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            Engine::new(&config)
        }
    }
}

/// Names all that an engine's code depends on.
pub(crate) fn stamp(engine: &Engine) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
