//! Logs, prints and writes to standard error more than it may.

guest::plugin!("renderer-plugin", "chatty");

use exports::weir::plugin::renderer::{Call, Emitter, Failure, Guest as Renderer, Target};
use weir::plugin::log::{Level, write};

impl Renderer for Guest {
    fn render(call: Call, _: Target, _: Emitter) -> Result<(), Failure> {
        let settings = call.settings();
        for n in 0..50 {
            write(
                Level::Info,
                &format!("line {n} of {settings}"),
                &[("n".into(), n.to_string())],
            );
        }
        println!("to standard output");
        eprintln!("to standard error");
        for _ in 0..2000 {
            println!("{}", "x".repeat(100));
        }
        Ok(())
    }
}
