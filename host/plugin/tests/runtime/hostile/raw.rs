//! Components made of WebAssembly text: what no compiler of a language would write.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A core module of the world `renderer-plugin`, with a description, with functions that answer
/// that all is well, and with 1 MiB of memory from which `cabi_realloc` gives out piece by piece.
pub(super) struct Raw {
    /// Imports of the module.
    pub(super) imports: &'static str,
    /// Its further fields.
    pub(super) fields: &'static str,
    /// Body of `render` (parameters `$call $target $out`); what it leaves is the answer's address.
    pub(super) render: &'static str,
    /// Body of `describe`.
    pub(super) describe: &'static str,
    /// Body of `cabi_realloc` (parameters `$old $old_size $align $size`).
    pub(super) realloc: &'static str,
    /// Imports of the world beyond the contract's, as WIT.
    pub(super) world: &'static str,
    /// The packages that they are in.
    pub(super) packages: &'static str,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            imports: "",
            fields: "",
            render: OK,
            describe: "i32.const 64",
            realloc: "(local $at i32)
                (local.set $at (i32.and
                    (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
                    (i32.sub (i32.const 0) (local.get $align))))
                (global.set $free (i32.add (local.get $at) (local.get $size)))
                (local.get $at)",
            world: "",
            packages: "",
        }
    }
}

/// The address of an answer that is all zero: `ok`, an empty list.
pub(super) const OK: &str = "i32.const 256";

/// The description that `describe` gives: name, version, summary, schema, three empty lists.
const INFO: &str = r#"
    (data (i32.const 16) "raw1.0.0{}")
    (data (i32.const 64) "\10\00\00\00\03\00\00\00\13\00\00\00\05\00\00\00")
    (data (i32.const 80) "\10\00\00\00\03\00\00\00\18\00\00\00\02\00\00\00")
"#;

impl Raw {
    fn text(&self) -> String {
        let Self {
            imports,
            fields,
            render,
            describe,
            realloc,
            ..
        } = self;
        format!(
            r#"(module
                {imports}
                (memory $memory (export "memory") 16)
                (global $free (mut i32) (i32.const 65536))
                {INFO}
                {fields}
                (func (export "weir:plugin/about@0.1.0#describe") (result i32) {describe})
                (func (export "weir:plugin/about@0.1.0#check-settings")
                    (param i32 i32) (result i32) {OK})
                (func (export "weir:plugin/renderer@0.1.0#render")
                    (param $call i32) (param $target i32) (param $out i32) (result i32) {render})
                (func $realloc (export "cabi_realloc")
                    (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
                    (result i32) {realloc})
            )"#
        )
    }

    /// The component, with the contract as it is.
    pub(super) fn component(&self) -> Vec<u8> {
        self.component_for(|wit| wit)
    }

    /// The component, built for a contract that `change` made of ours.
    pub(super) fn component_for(&self, change: impl Fn(String) -> String) -> Vec<u8> {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        let folder = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(ours).unwrap() {
            let file = file.unwrap();
            let wit = change(std::fs::read_to_string(file.path()).unwrap());
            std::fs::write(folder.path().join(file.file_name()), wit).unwrap();
        }
        let mut resolve = Resolve::default();
        resolve.push_dir(folder.path()).unwrap();
        let world = format!(
            "package weir:raw;
            world raw {{ include weir:plugin/renderer-plugin@0.1.0; {} }}
            {}",
            self.world, self.packages
        );
        let package = resolve.push_str("raw.wit", &world).unwrap();
        let world = resolve.select_world(&[package], Some("raw")).unwrap();
        let mut module = wat::parse_str(self.text()).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        let mut encoder = ComponentEncoder::default().module(&module).unwrap();
        encoder.encode().unwrap()
    }
}
