//! Reads which interfaces a component imports and exports from its bytes, without compiling it:
//! what fits no world is refused before it costs anything.

use wasmparser::{Parser, Payload};

/// The names at a component's surface.
#[derive(Debug, Default)]
pub(crate) struct Interfaces {
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
}

/// The bytes are no component.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct InvalidComponent(String);

/// The interfaces of the outermost component. Only its structure is read; compiling validates it.
pub(crate) fn interfaces(bytes: &[u8]) -> Result<Interfaces, InvalidComponent> {
    let invalid = |error: wasmparser::BinaryReaderError| InvalidComponent(error.to_string());
    let mut found = Interfaces::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(invalid)? {
            Payload::Version {
                encoding: wasmparser::Encoding::Module,
                ..
            } if depth == 0 => {
                let why = "it is a core module; build it for the target wasm32-wasip2";
                return Err(InvalidComponent(why.into()));
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    found
                        .imports
                        .push(import.map_err(invalid)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    found
                        .exports
                        .push(export.map_err(invalid)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(found)
}
