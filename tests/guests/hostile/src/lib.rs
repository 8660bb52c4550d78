//! Attacks its host in the way that its settings name (`{"do": "recurse"}`), one attack a call;
//! `docs/hardening.md` says what each tries and what stops it. `{"do": "behave"}` emits one
//! object: what the next call has to be able to do.

guest::plugin!(
    "renderer-plugin",
    "hostile",
    r#"{"type":"object"}"#,
    about::problems
);

mod about;
mod answers;
mod compute;
mod handles;
mod memory;
mod output;
mod reach;
mod trees;

use exports::weir::plugin::renderer::{Call, Emitter, Failure, Guest as Renderer, Target};
use weir::plugin::output::Manifest;

/// What an attack works with.
struct Scene {
    call: Call,
    target: Target,
    out: Emitter,
}

type Attack = fn(&Scene) -> Result<(), Failure>;

/// The attacks by name.
const ATTACKS: &[&[(&str, Attack)]] = &[
    &[("behave", |scene| emit(scene, b"kind: A"))],
    compute::ATTACKS,
    memory::ATTACKS,
    output::ATTACKS,
    answers::ATTACKS,
    handles::ATTACKS,
    trees::ATTACKS,
    reach::ATTACKS,
];

fn emit(scene: &Scene, body: &[u8]) -> Result<(), Failure> {
    scene.out.emit(&[Manifest {
        body: body.to_vec(),
        origin: None,
        role: None,
    }])
}

impl Renderer for Guest {
    fn render(call: Call, target: Target, out: Emitter) -> Result<(), Failure> {
        let settings: serde_json::Value = serde_json::from_str(&call.settings()).unwrap();
        let name = settings["do"].as_str().unwrap();
        let (_, attack) = ATTACKS
            .iter()
            .flat_map(|group| group.iter())
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("there is no attack `{name}`"));
        attack(&Scene { call, target, out })
    }
}
