//! A component compiled once, cases of a corpus run through it, and the account of what passed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use futures::{StreamExt as _, stream};
use serde_json::Value;
use tokio::sync::Mutex;
use weir_plugin::{
    Call, Called, FixedTarget, Grants, Input, Limits, Plugin, RenderOutput, Runtime, RuntimeConfig,
    Services, Subject, Tree,
};
use weir_tests_support::folders;

/// Cases in flight: the calls block a thread each.
const AT_ONCE: usize = 4;

/// The file of a staged component: in the folder that `WEIR_COMPONENTS` names, else in the target
/// folder.
pub(crate) fn component_file(name: &str) -> PathBuf {
    let folder = std::env::var_os("WEIR_COMPONENTS")
        .map_or_else(|| folders::target().join("components"), PathBuf::from);
    let file = folder.join(format!("{name}.wasm"));
    assert!(
        file.is_file(),
        "{} is not built: run `cargo xtask components`",
        file.display()
    );
    file
}

/// A component of this repository, compiled once for all tests.
pub(crate) async fn component(name: &'static str) -> Arc<Plugin> {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        Runtime::new(RuntimeConfig {
            max_calls: AT_ONCE as u32,
            ..RuntimeConfig::default()
        })
        .unwrap()
    });
    static LOADED: LazyLock<Mutex<BTreeMap<&'static str, Arc<Plugin>>>> =
        LazyLock::new(Mutex::default);
    let mut loaded = LOADED.lock().await;
    if let Some(plugin) = loaded.get(name) {
        return plugin.clone();
    }
    let plugin = RUNTIME.load(component_file(name)).await.unwrap();
    loaded.insert(name, plugin.clone());
    plugin
}

/// As the corpora were made.
pub(crate) fn target() -> FixedTarget {
    FixedTarget {
        kube_version: "v1.32.0".into(),
        ..FixedTarget::default()
    }
}

/// One render of a tree, as the host makes it: the settings are checked first.
pub(crate) async fn render(
    plugin: &Arc<Plugin>,
    tree: Arc<dyn Tree>,
    settings: &Value,
    target: FixedTarget,
) -> Called<RenderOutput> {
    let settings = settings.to_string();
    let problems = plugin.validate_settings(&settings);
    assert!(problems.is_empty(), "{settings}: {problems:?}");
    let call = Call {
        subject: Subject {
            kind: "Test".into(),
            name: "case".into(),
            ..Subject::default()
        },
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
    plugin.render(call, Arc::new(target)).await
}

/// What the real program made of a case.
#[derive(Debug)]
pub(crate) enum Expected {
    /// Standard output.
    Output(String),
    /// Standard error of a failed run.
    Error(String),
}

/// One case of a corpus.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// `case.json`.
    pub(crate) info: Value,
    pub(crate) expected: Expected,
}

impl Case {
    fn read(folder: PathBuf) -> Self {
        let text = |file: &str| fs::read_to_string(folder.join(file));
        Self {
            name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
            info: serde_json::from_str(&text("case.json").unwrap()).unwrap(),
            expected: match text("expected.yaml") {
                Ok(output) => Expected::Output(output),
                Err(_) => Expected::Error(text("expected_error.txt").unwrap()),
            },
            folder,
        }
    }

    /// A text of `case.json`.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.info[field].as_str()
    }
}

/// The folder of a corpus, if it is here.
pub(crate) fn corpus(name: &str) -> Option<PathBuf> {
    let folder = folders::workspace()
        .join("../shared/conformance")
        .join(name);
    let found = folder.is_dir();
    if !found {
        eprintln!("skipped: there is no {}", folder.display());
    }
    found.then_some(folder)
}

/// The cases of a corpus by name; of those only the ones whose names contain `RENDERER_CASE`.
pub(crate) fn cases(corpus: &Path) -> Vec<Case> {
    let only = std::env::var("RENDERER_CASE").unwrap_or_default();
    let mut cases: Vec<Case> = fs::read_dir(corpus.join("cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|folder| folder.to_string_lossy().contains(&only))
        .map(Case::read)
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// How what was made compares with what was expected.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Byte for byte; of an error, the same words.
    Same,
    /// An error in other words that names the same cause.
    SameCause,
    /// Anything else, and what.
    Different(String),
}

/// Compares outputs byte for byte.
pub(crate) fn compare_output(expected: &str, got: &str) -> Verdict {
    if expected == got {
        return Verdict::Same;
    }
    let mut lines = expected.lines().zip(got.lines()).zip(1..);
    Verdict::Different(match lines.find(|((a, b), _)| a != b) {
        Some(((a, b), line)) => format!("line {line}\n  expected {a:?}\n  got      {b:?}"),
        None => format!("{} bytes expected, {} got", expected.len(), got.len()),
    })
}

#[derive(Debug, Default)]
struct Count {
    all: usize,
    same: usize,
    same_cause: usize,
}

impl Count {
    fn add(&mut self, verdict: &Verdict) {
        self.all += 1;
        match verdict {
            Verdict::Same => self.same += 1,
            Verdict::SameCause => self.same_cause += 1,
            Verdict::Different(_) => {}
        }
    }

    fn permille(&self) -> usize {
        (self.same + self.same_cause) * 1000 / self.all.max(1)
    }
}

/// The least parts of a corpus that have to pass, in thousandths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtLeast {
    pub(crate) outputs: usize,
    pub(crate) errors: usize,
}

/// Judges every case and holds the result against `known`: the cases that are known not to pass, a
/// name and a reason a line. A case that fails and is not listed fails the test, and so does one
/// that is listed and passes, or is none: the list can only shrink.
pub(crate) async fn judge_all(
    cases: Vec<Case>,
    known: &str,
    at_least: AtLeast,
    judge: impl AsyncFn(&Case) -> Verdict,
) {
    let lines = known.lines().map(str::trim);
    let mut known: BTreeMap<&str, &str> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(' ').expect("a known case has a reason"))
        .collect();
    if std::env::var_os("RENDERER_CASE").is_some() {
        known.retain(|name, _| cases.iter().any(|case| case.name == *name));
    }
    let judge = &judge;
    let judged = stream::iter(&cases).map(|case| async move { (case, judge(case).await) });
    let mut judged = std::pin::pin!(judged.buffered(AT_ONCE));
    let (mut outputs, mut errors) = (Count::default(), Count::default());
    let (mut unknown, mut fixed) = (Vec::new(), Vec::new());
    while let Some((case, verdict)) = judged.next().await {
        match case.expected {
            Expected::Output(_) => outputs.add(&verdict),
            Expected::Error(_) => errors.add(&verdict),
        }
        match (verdict, known.remove(case.name.as_str())) {
            (Verdict::Different(what), None) => {
                println!("FAILED {}: {what}", case.name);
                unknown.push(case.name.as_str());
            }
            (Verdict::Different(_), Some(why)) => println!("known  {}: {why}", case.name),
            (_, Some(_)) => fixed.push(case.name.as_str()),
            (_, None) => {}
        }
    }
    println!("outputs: {} of {} byte for byte", outputs.same, outputs.all);
    println!(
        "errors: {} of {} in the same words, {} name the same cause in others",
        errors.same, errors.all, errors.same_cause
    );
    assert!(unknown.is_empty(), "{} fail: {unknown:?}", unknown.len());
    assert!(fixed.is_empty(), "these pass, unlist them: {fixed:?}");
    assert!(known.is_empty(), "these are no cases: {known:?}");
    assert!(outputs.permille() >= at_least.outputs, "{outputs:?}");
    assert!(errors.permille() >= at_least.errors, "{errors:?}");
}
