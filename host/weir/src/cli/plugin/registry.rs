//! Pushing and pulling components, and finding what a name on the command line stands for.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use serde_json::json;
use weir_plugin::oci::{
    Access, ImageReference, Images, PullOptions, PulledImage, PushOptions, RegistryCredentials,
};
use weir_plugin::{Digest, Plugin, Runtime};

use super::Form;
use crate::builtin;
use crate::cli::{Error, Exit, output};

/// How a registry is reached.
#[derive(Debug, Args)]
pub(super) struct RegistryArgs {
    /// Talk HTTP to the registry
    #[arg(long)]
    insecure: bool,
    /// User and password for the registry, USER:PASSWORD; without it those of the docker config
    #[arg(
        long,
        value_name = "CREDENTIALS",
        env = "WEIR_REGISTRY_CREDENTIALS",
        hide_env_values = true
    )]
    credentials: Option<String>,
    /// PEM file with the roots that the registry's certificate is checked against
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// Push a component to a registry, or into an OCI layout directory.
#[derive(Debug, Args)]
pub(super) struct PushArgs {
    /// The component
    file: PathBuf,
    /// Where to: oci://host/repository:tag or oci-layout:DIRECTORY:tag
    reference: String,
    #[command(flatten)]
    registry: RegistryArgs,
    /// Annotation of the manifest; may be repeated
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = annotation)]
    annotations: Vec<(String, String)>,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    output: Form,
}

/// Pull a component into a file.
#[derive(Debug, Args)]
pub(super) struct PullArgs {
    /// Where from: oci://host/repository:tag, ...@sha256:... or oci-layout:DIRECTORY:tag
    reference: String,
    /// The file to write
    file: PathBuf,
    #[command(flatten)]
    registry: RegistryArgs,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    output: Form,
}

pub(super) async fn push(args: PushArgs) -> Result<(), Error> {
    let image = parse(&args.reference)?;
    let component = tokio::fs::read(&args.file)
        .await
        .with_context(|| format!("failed to read {}", args.file.display()))?;
    let title = args
        .file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let options = PushOptions {
        title: title.unwrap_or_default(),
        annotations: args.annotations,
    };
    let access = args.registry.access(&image)?;
    let digest = Images::new()
        .push(Bytes::from(component), &image, &access, &options)
        .await?;
    report(args.output, "pushed", &image, digest, None)
}

pub(super) async fn pull(args: PullArgs) -> Result<(), Error> {
    let image = parse(&args.reference)?;
    let pulled = args.registry.fetch(&image).await?;
    tokio::fs::copy(pulled.path(), &args.file)
        .await
        .with_context(|| format!("failed to write {}", args.file.display()))?;
    report(
        args.output,
        "pulled",
        &image,
        pulled.manifest_digest(),
        Some(pulled.component_digest()),
    )
}

fn report(
    form: Form,
    done: &str,
    image: &ImageReference,
    digest: Digest,
    component: Option<Digest>,
) -> Result<(), Error> {
    let mut to = io::stdout().lock();
    let mut data = json!({ "reference": image.to_string(), "digest": digest.to_string() });
    if let Some(component) = component {
        data["componentDigest"] = component.to_string().into();
    }
    match form {
        Form::Json => output::json(&mut to, &data)?,
        Form::Yaml => output::yaml(&mut to, &data)?,
        Form::Text => {
            let pinned = image
                .digest()
                .map_or_else(|| format!("@{digest}"), |_| String::new());
            println!("{done} {image}{pinned}");
        }
    }
    Ok(())
}

fn annotation(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("it is not KEY=VALUE".to_owned()),
    }
}

/// An image by its name; one without a scheme is in a registry.
fn parse(text: &str) -> Result<ImageReference, Error> {
    let has_scheme = text.contains("://") || text.starts_with("oci-layout:");
    let full = if has_scheme {
        text.to_owned()
    } else {
        format!("oci://{text}")
    };
    full.parse()
        .map_err(|error| Error::from(error).exit(Exit::Usage))
}

/// The component that a name stands for: a file, a built-in plugin, or an image. A pulled file
/// has to live until the plugin is loaded, which is here.
pub(super) async fn load(
    runtime: &Runtime,
    name: &str,
    registry: &RegistryArgs,
) -> Result<Arc<Plugin>, Error> {
    if Path::new(name).is_file() {
        return Ok(runtime.load(Path::new(name)).await?);
    }
    if !name.contains(['/', ':', '.']) {
        return Ok(builtin::load(runtime, name).await?);
    }
    let is_component = Path::new(name).extension().is_some_and(|end| end == "wasm");
    if is_component && !name.contains(':') {
        return Err(Error::failed(format!("the file {name} does not exist")));
    }
    let pulled = registry.fetch(&parse(name)?).await?;
    Ok(runtime.load(pulled.source()).await?)
}

impl RegistryArgs {
    async fn fetch(&self, image: &ImageReference) -> Result<PulledImage, Error> {
        let (images, access) = (Images::new(), self.access(image)?);
        let digest = images.resolve(image, &access).await?;
        Ok(images
            .pull(image, digest, &access, PullOptions::default())
            .await?)
    }

    fn access(&self, image: &ImageReference) -> Result<Access, Error> {
        let ca_certificate = self
            .ca_file
            .as_ref()
            .map(|path| {
                fs::read(path).with_context(|| format!("failed to read {}", path.display()))
            })
            .transpose()?;
        Ok(Access {
            credentials: self.credentials(image)?,
            insecure: self.insecure,
            ca_certificate,
        })
    }

    fn credentials(&self, image: &ImageReference) -> Result<Option<RegistryCredentials>, Error> {
        if let Some(given) = &self.credentials {
            let (user, password) = given.split_once(':').ok_or_else(|| {
                Error::new(Exit::Usage, "--credentials is not USER:PASSWORD".to_owned())
            })?;
            return Ok(Some(RegistryCredentials::Basic(
                user.to_owned(),
                password.to_owned(),
            )));
        }
        let (ImageReference::Registry(image), Some(path)) = (image, docker_config()) else {
            return Ok(None);
        };
        match fs::read(&path) {
            Ok(config) => Ok(RegistryCredentials::from_docker_config(
                &config,
                &image.registry,
                &image.repository,
            )?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::from(
                anyhow::Error::new(error).context(path.display().to_string()),
            )),
        }
    }
}

/// Where docker and its like keep credentials.
fn docker_config() -> Option<PathBuf> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let folder = set("DOCKER_CONFIG").or_else(|| Some(set("HOME")?.join(".docker")))?;
    Some(folder.join("config.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_scheme_is_in_a_registry() {
        for (text, expected) in [
            ("ghcr.io/weir/git:1", "oci://ghcr.io/weir/git:1"),
            ("oci://localhost:5000/git:1", "oci://localhost:5000/git:1"),
            ("oci-layout:./plugins:git", "oci-layout:./plugins:git"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected);
        }
        assert_eq!(parse("host/UPPER").unwrap_err().code(), Exit::Usage);
    }

    #[test]
    fn annotations_have_a_key_and_a_value() {
        assert_eq!(annotation("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(annotation("a").is_err() && annotation("=b").is_err());
    }
}
