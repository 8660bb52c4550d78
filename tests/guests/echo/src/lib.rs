//! Emits every file below its path, with its path as origin.

guest::plugin!("renderer-plugin", "echo");

use exports::weir::plugin::renderer::{Call, Emitter, Failure, Guest as Renderer, Target};
use weir::plugin::output::Manifest;

impl Renderer for Guest {
    fn render(call: Call, target: Target, out: Emitter) -> Result<(), Failure> {
        let tree = call.tree("source")?;
        let path = target.path();
        let pattern = if path.is_empty() {
            "**".to_owned()
        } else {
            format!("{path}/**")
        };
        let paths = tree.glob(&pattern)?;
        out.warn("Echoed", &format!("{} files", paths.len()));
        let files = tree.read_many(&paths)?;
        let batch: Vec<Manifest> = files
            .into_iter()
            .map(|file| Manifest {
                body: file.data,
                origin: Some(file.path),
                role: None,
            })
            .collect();
        out.emit(&batch)?;
        out.attach("notes", b"echoed")
    }
}
