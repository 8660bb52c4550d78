//! Attacks on what the host keeps and passes on: objects, by-products, warnings, logs.

use std::mem::ManuallyDrop;

use crate::weir::plugin::log::{Level, write};
use crate::{Attack, Manifest, emit};

const MIB: usize = 1 << 20;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("emit-10-gigabytes", |scene| {
        let body = vec![b'#'; MIB];
        for _ in 0..10_000 {
            // What it is told does not stop it.
            let _ = emit(scene, &body);
        }
        Ok(())
    }),
    ("emit-a-billion-objects", |scene| {
        let batch: Vec<_> = (0..1000).map(|_| manifest(b"{}".to_vec())).collect();
        for _ in 0..1_000_000 {
            let _ = scene.out.emit(&batch);
        }
        Ok(())
    }),
    ("emit-nothing-for-ever", |scene| {
        loop {
            scene.out.emit(&[])?;
        }
    }),
    ("emit-the-same-bytes-many-times", |scene| {
        // Every object of the batch is the same memory: little for the guest, 64 GiB for a host
        // that copies each.
        let mut shared = vec![b'#'; 64 * MIB];
        let batch: Vec<_> = (0..1000)
            .map(|_| {
                // SAFETY: none of these is ever changed or dropped; the host only reads them.
                let alias = unsafe { Vec::from_raw_parts(shared.as_mut_ptr(), 64 * MIB, 64 * MIB) };
                ManuallyDrop::new(manifest(alias))
            })
            .collect();
        // SAFETY: `ManuallyDrop` has the layout of what it holds.
        let batch = unsafe { std::slice::from_raw_parts(batch.as_ptr().cast::<Manifest>(), 1000) };
        scene.out.emit(batch)
    }),
    ("emit-millions-at-once", |scene| {
        // Each takes 32 bytes here, and more than twice that in the host.
        let batch: Vec<_> = (0..2_200_000).map(|_| manifest(Vec::new())).collect();
        scene.out.emit(&batch)
    }),
    ("attach-for-ever", |scene| {
        let data = vec![0; MIB];
        for _ in 0..10_000 {
            let _ = scene.out.attach("notes", &data);
        }
        Ok(())
    }),
    ("warn-for-ever", |scene| {
        for n in 0..1_000_000 {
            scene.out.warn("Careful", &format!("number {n}"));
        }
        Ok(())
    }),
    ("warn-a-lot", |scene| {
        let text = "x".repeat(100_000);
        for n in 0..1000 {
            scene.out.warn("not a\nreason", &format!("{n}{text}"));
        }
        emit(scene, b"kind: A")
    }),
    ("log-for-ever", |_| {
        loop {
            write(Level::Info, "again", &[]);
        }
    }),
    ("log-hugely", |scene| {
        let text = "x".repeat(32 * MIB);
        for _ in 0..20 {
            write(Level::Info, &text, &[("k".into(), text.clone())]);
        }
        let field = || ("k".to_owned(), "v".to_owned());
        write(Level::Info, "fields", &vec![field(); 100_000]);
        emit(scene, b"kind: A")
    }),
    ("print-for-ever", |_| {
        loop {
            print!("no end of the line ");
            eprintln!("and again");
        }
    }),
];

fn manifest(body: Vec<u8>) -> Manifest {
    Manifest {
        body,
        origin: None,
        role: None,
    }
}
