//! Renders through a component in the plugin runtime, as a host makes them that runs already.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use weir_plugin::{
    Call, Grants, Input, Limits, MemoryTree, Plugin, Runtime, RuntimeConfig, Services, Subject,
    Target, Tree,
};
use weir_tests_support::folders;

use super::{Effort, median};

/// A runtime with one component.
pub(crate) struct Host {
    tokio: tokio::runtime::Runtime,
    plugin: Arc<Plugin>,
}

/// The cost of one render.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RenderCost {
    /// From the call to its result.
    pub(crate) time: Duration,
    /// Of the component, at most.
    pub(crate) peak_memory: u64,
}

impl Host {
    /// Compiles a component of this repository, and says what that took.
    pub(crate) fn start(name: &str) -> Result<Self> {
        let folder = std::env::var_os("WEIR_COMPONENTS")
            .map_or_else(|| folders::target().join("components"), PathBuf::from);
        let file = folder.join(format!("{name}.wasm"));
        let size = file
            .metadata()
            .with_context(|| format!("{} is not built", file.display()))?
            .len();
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let runtime = Runtime::new(RuntimeConfig::default())?;
        let started = Instant::now();
        let plugin = tokio.block_on(runtime.load(file))?;
        println!(
            "the component {name} has {:.2} MiB and is compiled on arrival in {:.2} s",
            size as f64 / f64::from(1 << 20),
            started.elapsed().as_secs_f64()
        );
        Ok(Self { tokio, plugin })
    }

    /// Renders a tree some times.
    pub(crate) fn measure(
        &self,
        tree: Arc<dyn Tree>,
        settings: &str,
        target: Arc<dyn Target>,
        effort: Effort,
    ) -> Result<RenderCost> {
        let problems = self.plugin.validate_settings(settings);
        ensure!(problems.is_empty(), "the settings are wrong: {problems:?}");
        let call = Call {
            subject: Subject::default(),
            settings: settings.into(),
            inputs: vec![Input {
                name: "source".into(),
                revision: "main@sha1:abc".into(),
                tree,
            }],
            grants: Arc::new(Grants::default()),
            limits: Limits::default(),
            services: Services::none(),
        };
        let (mut times, mut peak_memory, began) = (Vec::new(), 0, Instant::now());
        while !effort.is_done(times.len(), began.elapsed()) {
            let started = Instant::now();
            let called = self
                .tokio
                .block_on(self.plugin.render(call.clone(), target.clone()));
            times.push(started.elapsed());
            called.result?;
            peak_memory = peak_memory.max(called.memory_peak);
        }
        Ok(RenderCost {
            time: median(times),
            peak_memory,
        })
    }
}

/// A folder with all below it, in memory.
pub(crate) fn tree(folder: &Path) -> Result<Arc<dyn Tree>> {
    let mut pairs = Vec::new();
    gather(folder, "", &mut pairs)?;
    Ok(Arc::new(MemoryTree::from_pairs(pairs)?))
}

fn gather(folder: &Path, below: &str, pairs: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{below}{name}");
        if entry.file_type()?.is_dir() {
            gather(&entry.path(), &format!("{path}/"), pairs)?;
        } else {
            pairs.push((path, std::fs::read(entry.path())?));
        }
    }
    Ok(())
}
