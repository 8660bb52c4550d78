//! Trees with damage: whatever a file holds, a build ends with a result or an error. `MANGLED_SEED`
//! and `MANGLED_COUNT` (400) move the range; a panic names the seed.

use plugin_kustomize::{FluxOptions, MemoryFs, Options, build, build_as_flux};

use crate::generate::{self, Random};
use crate::number;

/// What tends to upset readers of YAML, of paths and of expressions.
const BITS: [&str; 24] = [
    "\t",
    "\0",
    "---\n",
    "...\n",
    "&a ",
    "*a",
    "<<: ",
    "? ",
    "!!binary ",
    "| \n",
    ">-\n",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "\u{feff}",
    "\u{1f680}",
    "$(V0)",
    "../",
    "null",
    "99999999999999999999",
    "-",
];

fn mangle(random: &mut Random, content: &mut Vec<u8>) {
    for _ in 0..=random.below(3) {
        let at = random.below(content.len() + 1);
        let end = (at + random.below(12)).min(content.len());
        match random.below(6) {
            0 => drop(content.drain(at..end)),
            1 => {
                let copy = content[at..end].to_vec();
                content.splice(at..at, copy);
            }
            2 if at < content.len() => content[at] = random.below(256) as u8,
            3 => {
                content.truncate(at);
            }
            4 => line(random, content),
            _ => {
                let bit = random.pick::<&str>(&BITS).bytes();
                drop(content.splice(at..end, bit));
            }
        }
    }
}

/// Moves a line to another place, with its indentation.
fn line(random: &mut Random, content: &mut Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = content
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    if lines.is_empty() {
        return;
    }
    let from = random.below(lines.len());
    let taken = lines.remove(from);
    lines.insert(random.below(lines.len() + 1), taken);
    *content = lines.concat();
}

#[test]
fn a_damaged_tree_is_built_or_refused() {
    let first = number("MANGLED_SEED", 1);
    let count = number("MANGLED_COUNT", 400);
    println!("seeds {first} to {}", first + count - 1);
    let (mut built, mut refused) = (0, 0);
    for seed in first..first + count {
        let tree = generate::tree(seed);
        let mut random = Random::of(seed.wrapping_mul(31));
        let mut fs = MemoryFs::new();
        let damaged = random.below(tree.files.len());
        for (at, (path, content)) in tree.files.iter().enumerate() {
            let mut content = content.clone().into_bytes();
            if at == damaged || random.chance(10) {
                mangle(&mut random, &mut content);
            }
            fs.insert(path, content);
        }
        let builds = || {
            let options = Options::default();
            let flux = FluxOptions {
                generate: true,
                ..FluxOptions::default()
            };
            [
                build(&fs, &tree.dir, &options).is_ok(),
                build_as_flux(&fs, &tree.dir, &options, &flux).is_ok(),
            ]
        };
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(builds));
        let Ok([is_built, _]) = ended else {
            panic!("seed {seed} panics");
        };
        if is_built {
            built += 1;
        } else {
            refused += 1;
        }
    }
    println!("{built} built, {refused} refused");
}
