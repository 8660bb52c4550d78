//! Attacks on handles.

use std::mem::forget;

use crate::exports::weir::plugin::renderer::Call;
use crate::weir::plugin::files::{Blob, Dir};
use crate::{Attack, emit};

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("keep-handles", |scene| {
        loop {
            forget(scene.call.tree("source")?);
        }
    }),
    ("drop-twice", |scene| {
        let tree = scene.call.tree("source")?;
        // SAFETY: none; that is the attack.
        drop(unsafe { Dir::from_handle(tree.handle()) });
        drop(tree);
        Ok(())
    }),
    ("use-after-drop", |scene| {
        let tree = scene.call.tree("source")?;
        // SAFETY: none; that is the attack.
        let copy = unsafe { Dir::from_handle(tree.handle()) };
        drop(tree);
        emit(scene, &copy.read("a.yaml")?)
    }),
    ("forge", |scene| {
        // SAFETY: none; that is the attack.
        let forged = unsafe { Dir::from_handle(4711) };
        emit(scene, &forged.read("a.yaml")?)
    }),
    ("confuse", |scene| {
        let tree = scene.call.tree("source")?;
        // SAFETY: none; that is the attack: a tree is taken for a blob.
        let blob = unsafe { Blob::from_handle(tree.handle()) };
        emit(scene, &blob.read(0, 10)?)
    }),
    ("pass-off", |scene| {
        // SAFETY: none; that is the attack: the emitter is taken for the call.
        let call = unsafe { Call::from_handle(scene.out.handle()) };
        emit(scene, call.settings().as_bytes())
    }),
];
