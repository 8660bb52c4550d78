//! Generators and transformers as a kustomization configures them, by its own fields ([`builtin`])
//! or by objects under `generators`, `transformers` and `validators` ([`external`]).

mod builtin;
mod external;

use std::rc::Rc;

use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::generators::{self, IamPolicyGenerator};
use crate::loader::Loader;
use crate::origin::Origin;
use crate::places::Place;
use crate::resource::Handle;
use crate::transformers::Transformer;
use crate::types::{ConfigMapArgs, SecretArgs};

/// A configured generator.
pub(crate) enum Generator<'a> {
    ConfigMap(Rc<Loader<'a>>, ConfigMapArgs),
    Secret(Rc<Loader<'a>>, SecretArgs),
    IamPolicy(IamPolicyGenerator),
}

impl Generator<'_> {
    pub(crate) fn generate(&self, cx: &mut Context) -> Result<Vec<Handle>> {
        let made = match self {
            Self::ConfigMap(loader, args) => generators::config_map(cx, loader, &args.args)?,
            Self::Secret(loader, args) => generators::secret(cx, loader, args)?,
            Self::IamPolicy(generator) => generator.generate(cx)?,
        };
        Ok(vec![made])
    }
}

/// A generator and where it is configured.
pub(crate) struct Generated<'a> {
    pub(crate) generator: Generator<'a>,
    pub(crate) origin: Option<Origin>,
    pub(crate) place: Place,
}

/// A transformer and where it is configured.
pub(crate) struct Configured {
    pub(crate) transformer: Transformer,
    pub(crate) origin: Option<Origin>,
    pub(crate) place: Place,
}

fn helm_refused() -> Error {
    Error::new(
        "must specify --enable-helm: Helm charts are not inflated here; use a HelmRelease for the \
         chart, or commit its rendered manifests",
    )
    .of_kind(Kind::Unsupported)
}
