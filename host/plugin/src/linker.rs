//! Links a component: the interfaces of its world, the inert WASI it asks for, nothing else.

use wasmtime::component::{Component, HasSelf, InstancePre, Linker};

use crate::LoadError;
use crate::bindings::weir::plugin;
use crate::guest::{State, link_wasi};
use crate::world::{World, check_import};

/// Checks every import of the component and binds them.
pub(crate) fn link(component: &Component, world: World) -> Result<InstancePre<State>, LoadError> {
    let engine = component.engine();
    for (import, _) in component.component_type().imports(engine) {
        check_import(world, import)?;
    }
    let bind = || {
        let mut linker = Linker::new(engine);
        for interface in world.interfaces() {
            add(&mut linker, interface)?;
        }
        link_wasi(&mut linker, engine, component)?;
        linker.instantiate_pre(component)
    };
    bind().map_err(|source| LoadError::IncompatibleImports { source })
}

/// Adds one interface of the contract.
fn add(linker: &mut Linker<State>, interface: &str) -> wasmtime::Result<()> {
    macro_rules! add {
        ($module:ident) => {
            plugin::$module::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
        };
    }
    match interface {
        "types" => add!(types),
        "files" => add!(files),
        "context" => add!(context),
        "log" => add!(log),
        "artifacts" => add!(artifacts),
        "http" => add!(http),
        "git" => add!(git),
        "oci" => add!(oci),
        "secrets" => add!(secrets),
        "clock" => add!(clock),
        "rendering" => add!(rendering),
        "output" => add!(output),
        "random" => add!(random),
        "cluster" => add!(cluster),
        "remote" => add!(remote),
        "tcp" => add!(tcp),
        "review" => add!(review),
        other => Err(wasmtime::Error::msg(format!("no interface `{other}`"))),
    }
}
