//! What the tests share: trees from disk, and a host without a cluster.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use weir_helm::MemoryFs;
use weir_template::{Host, Value};

/// A folder of the disk as a tree, below `name`.
pub(crate) fn read_tree(folder: &Path, name: &str) -> MemoryFs {
    let mut tree = MemoryFs::new();
    add(&mut tree, folder, name);
    tree
}

fn add(tree: &mut MemoryFs, folder: &Path, name: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{name}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            add(tree, &path, &name);
        } else {
            tree.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// The clock and randomness of this machine, and no cluster.
pub(crate) struct Native;

impl Host for Native {
    fn now(&self) -> i128 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i128::try_from(now.as_nanos()).unwrap()
    }

    fn fill_random(&self, buffer: &mut [u8]) {
        fs::File::open("/dev/urandom")
            .unwrap()
            .read_exact(buffer)
            .unwrap();
    }

    fn lookup(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Value, String> {
        Ok(Value::map::<&str>([]))
    }
}
