//! Attacks on trees: out of them, and with them.

use std::fmt::Debug;

use crate::weir::plugin::files::Dir;
use crate::{Attack, Failure, Scene, emit};

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("read-outside", |scene| {
        let tree = scene.call.tree("source")?;
        for path in [
            "../secret",
            "app/../../secret",
            "/etc/passwd",
            "//etc/passwd",
            "%2e%2e/secret",
            "..%2fsecret",
            "..\\secret",
            "C:\\secret",
            "a.yaml/../../secret",
            "a.yaml\0.txt",
            "\u{ff0e}\u{ff0e}/secret",
            "file:///etc/passwd",
            "~/secret",
        ] {
            told(scene, &tree.read(path).map_err(|failure| failure.code))?;
            told(scene, &tree.kind(path))?;
            told(scene, &tree.entries(path).map(|entries| entries.len()).ok())?;
            told(scene, &tree.open(path).map(|blob| blob.size()).ok())?;
        }
        Ok(())
    }),
    ("glob-outside", |scene| {
        let tree = scene.call.tree("source")?;
        for pattern in [
            "../**",
            "/etc/*",
            "app/../../**",
            "{..,.}/../**",
            "[.][.]/**",
        ] {
            told(scene, &tree.glob(pattern).unwrap_or_default().len())?;
        }
        Ok(())
    }),
    ("ask-for-other-inputs", |scene| {
        for name in ["", "..", "/", "other", "source/", "source/../x"] {
            told(
                scene,
                &scene.call.tree(name).map(|_| ()).map_err(|f| f.code),
            )?;
            told(scene, &scene.call.revision(name).map_err(|f| f.code))?;
        }
        Ok(())
    }),
    ("glob-with-many-alternatives", |scene| {
        glob(scene, "{a,b}".repeat(40))
    }),
    ("glob-with-many-braces", |scene| {
        glob(scene, "{a}".repeat(200_000))
    }),
    ("glob-with-nested-braces", |scene| {
        glob(
            scene,
            format!("{}a{}", "{a,".repeat(200_000), "}".repeat(200_000)),
        )
    }),
    ("glob-with-many-stars", |scene| {
        glob(scene, "**/".repeat(500_000))
    }),
    // Each of many alternatives may begin anew in every directory.
    ("glob-slowly", |scene| {
        glob(scene, format!("{}*", "{**/d*,**/*}/".repeat(7)))
    }),
    ("read-the-same-many-times", |scene| {
        let tree = scene.call.tree("source")?;
        told(
            scene,
            &tree
                .read_many(&vec!["large".to_owned(); 100_000])
                .map(|files| files.len())
                .map_err(|f| f.code),
        )
    }),
    ("read-what-does-not-fit", |scene| {
        let tree = scene.call.tree("source")?;
        told(
            scene,
            &tree
                .read("large")
                .map(|data| data.len())
                .map_err(|f| f.code),
        )?;
        let blob = tree.open("large")?;
        told(
            scene,
            &blob
                .read(0, u32::MAX)
                .map(|data| data.len())
                .map_err(|f| f.code),
        )?;
        told(
            scene,
            &blob
                .read(u64::MAX, u32::MAX)
                .map(|data| data.len())
                .map_err(|f| f.code),
        )
    }),
    ("unpack-again-and-again", |scene| {
        let blob = scene.call.tree("source")?.open("archive")?;
        let mut all: Vec<Dir> = Vec::new();
        loop {
            all.push(blob.unpack()?);
        }
    }),
];

fn glob(scene: &Scene, pattern: String) -> Result<(), Failure> {
    let tree = scene.call.tree("source")?;
    told(
        scene,
        &tree
            .glob(&pattern)
            .map(|found| found.len())
            .map_err(|f| f.code),
    )
}

/// Emits what was learned.
fn told(scene: &Scene, learned: &dyn Debug) -> Result<(), Failure> {
    emit(scene, format!("{learned:?}").as_bytes())
}
