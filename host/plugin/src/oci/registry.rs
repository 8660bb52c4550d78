//! Images in registries, through oci-client.

use std::time::Duration;

use futures::TryStreamExt;
use http::HeaderValue;
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::manifest::OciDescriptor;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};
use parking_lot::Mutex;
use tokio::time::timeout;

use super::artifact::{
    Descriptor, MANIFEST, MAX_CONFIG, Packed, check_config, check_digest, layers,
};
use super::pulled::Arriving;
use super::reference::RegistryImage;
use super::{Access, ImageError, PullOptions, PulledImage, RegistryCredentials, Timeouts};
use crate::Digest;

/// Clients kept; each holds connections and tokens.
const MAX_CLIENTS: usize = 16;

/// The clients, by how a registry is reached.
#[derive(Default)]
pub(super) struct Registries {
    timeouts: Timeouts,
    kept: Mutex<Vec<(Digest, Client)>>,
}

impl Registries {
    pub(super) fn new(timeouts: Timeouts) -> Self {
        Self {
            timeouts,
            kept: Mutex::default(),
        }
    }

    pub(super) async fn resolve(
        &self,
        image: &RegistryImage,
        access: &Access,
    ) -> Result<Digest, ImageError> {
        let client = self.client(access)?;
        let (reference, auth) = (reference(image, None), auth(access));
        let request = Box::pin(client.fetch_manifest_digest(&reference, &auth));
        let digest = in_time(image, self.timeouts.answer, request).await?;
        digest.parse().map_err(|_| {
            ImageError::not_a_component(format!("its manifest's digest is `{digest}`, not sha256"))
        })
    }

    pub(super) async fn pull(
        &self,
        image: &RegistryImage,
        digest: Digest,
        access: &Access,
        options: PullOptions,
    ) -> Result<PulledImage, ImageError> {
        let client = self.client(access)?;
        let (reference, auth) = (reference(image, Some(digest)), auth(access));
        let request = client.pull_manifest_raw(&reference, &auth, &[MANIFEST]);
        let (manifest, _) = in_time(image, self.timeouts.answer, request).await?;
        check_digest(&manifest, digest)?;
        let layers = layers(&manifest, options)?;

        let mut config = Vec::new();
        let fetching = fetch(
            &client,
            &reference,
            image,
            &layers.config,
            |part: &[u8]| {
                config.extend_from_slice(part);
                let size = config.len() as u64;
                if size > MAX_CONFIG {
                    return Err(ImageError::TooLarge {
                        size,
                        limit: MAX_CONFIG,
                    });
                }
                Ok(())
            },
        );
        limited(image, self.timeouts.answer, fetching).await?;
        check_digest(&config, layers.config_digest)?;
        check_config(&config, options.world)?;

        let mut arriving = Arriving::new(options.max_bytes)?;
        // Parts are written as they come: short writes to a local temporary file.
        let fetching = fetch(&client, &reference, image, &layers.component, |part| {
            arriving.append(part)
        });
        limited(image, self.timeouts.transfer, fetching).await?;
        arriving.finish(digest, layers.component_digest)
    }

    pub(super) async fn push(
        &self,
        image: &RegistryImage,
        packed: Packed,
        access: &Access,
    ) -> Result<Digest, ImageError> {
        let client = self.client(access)?;
        let digest = Digest::of(&packed.manifest);
        // Without a tag the manifest is pushed by its digest.
        let target = reference(image, image.tag.is_none().then_some(digest));
        let auth = auth(access);
        let login = client.auth(&target, &auth, RegistryOperation::Push);
        in_time(image, self.timeouts.answer, login).await?;
        client.store_auth_if_needed(&image.registry, &auth).await;

        for (blob, digest) in [
            (packed.component, packed.component_digest.to_string()),
            (
                packed.config.clone(),
                Digest::of(&packed.config).to_string(),
            ),
        ] {
            let there = in_time(
                image,
                self.timeouts.answer,
                client.blob_exists(&target, &digest),
            )
            .await;
            if there.is_ok_and(|there| there) {
                continue;
            }
            let push = client.push_blob(&target, blob, &digest);
            in_time(image, self.timeouts.transfer, push).await?;
        }
        let media_type = HeaderValue::from_static(MANIFEST);
        let push = client.push_manifest_raw(&target, packed.manifest, media_type);
        in_time(image, self.timeouts.answer, push).await?;
        Ok(digest)
    }

    /// The client for such access, made on first use.
    fn client(&self, access: &Access) -> Result<Client, ImageError> {
        let key = Digest::of(format!(
            "{:?}",
            (
                access.insecure,
                access.ca_certificate.as_ref().map(Digest::of),
                secret(access)
            )
        ));
        let mut kept = self.kept.lock();
        if let Some((_, client)) = kept.iter().find(|(known, _)| *known == key) {
            return Ok(client.clone());
        }
        // oci-client takes the process's TLS provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = ClientConfig {
            protocol: if access.insecure {
                ClientProtocol::Http
            } else {
                ClientProtocol::Https
            },
            tls_certs_only: certificates(access)?,
            use_monolithic_push: true,
            read_timeout: Some(self.timeouts.answer),
            connect_timeout: Some(Duration::from_secs(10)),
            user_agent: concat!("weir/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).map_err(|error| ImageError::InvalidAccess {
            why: error.to_string(),
        })?;
        if kept.len() >= MAX_CLIENTS {
            kept.remove(0);
        }
        kept.push((key, client.clone()));
        Ok(client)
    }
}

/// One certificate each, as oci-client wants them.
fn certificates(access: &Access) -> Result<Vec<Certificate>, ImageError> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    let Some(pem) = &access.ca_certificate else {
        return Ok(Vec::new());
    };
    let invalid = || ImageError::InvalidAccess {
        why: "the CA certificate is no PEM".into(),
    };
    let text = std::str::from_utf8(pem).map_err(|_| invalid())?;
    let certificates: Vec<_> = text
        .split(BEGIN)
        .skip(1)
        .map(|body| Certificate {
            encoding: CertificateEncoding::Pem,
            data: format!("{BEGIN}{body}").into_bytes(),
        })
        .collect();
    if certificates.is_empty() {
        Err(invalid())
    } else {
        Ok(certificates)
    }
}

fn secret(access: &Access) -> Option<Digest> {
    Some(Digest::of(match access.credentials.as_ref()? {
        RegistryCredentials::Basic(user, password) => format!("basic {user}:{password}"),
        RegistryCredentials::Bearer(token) => format!("bearer {token}"),
    }))
}

fn auth(access: &Access) -> RegistryAuth {
    match &access.credentials {
        None => RegistryAuth::Anonymous,
        Some(RegistryCredentials::Basic(user, password)) => {
            RegistryAuth::Basic(user.clone(), password.clone())
        }
        Some(RegistryCredentials::Bearer(token)) => RegistryAuth::Bearer(token.clone()),
    }
}

/// For oci-client: by `digest` if there is one, else as the image is named.
fn reference(image: &RegistryImage, digest: Option<Digest>) -> Reference {
    let (registry, repository) = (image.registry.clone(), image.repository.clone());
    match (digest.or(image.digest), &image.tag) {
        (Some(digest), _) => Reference::with_digest(registry, repository, digest.to_string()),
        (None, Some(tag)) => Reference::with_tag(registry, repository, tag.clone()),
        (None, None) => Reference::with_tag(registry, repository, "latest".into()),
    }
}

/// Streams a blob to `keep`.
async fn fetch(
    client: &Client,
    reference: &Reference,
    image: &RegistryImage,
    blob: &Descriptor,
    mut keep: impl FnMut(&[u8]) -> Result<(), ImageError>,
) -> Result<(), ImageError> {
    let descriptor = OciDescriptor {
        media_type: blob.media_type.clone(),
        digest: blob.digest.clone(),
        size: i64::try_from(blob.size).unwrap_or(i64::MAX),
        ..OciDescriptor::default()
    };
    let mut stream = client
        .pull_blob_stream(reference, &descriptor)
        .await
        .map_err(|error| failed(image, error))?
        .stream;
    let unavailable = |source: std::io::Error| ImageError::Unavailable {
        image: image.to_string(),
        source: source.into(),
    };
    while let Some(part) = stream.try_next().await.map_err(unavailable)? {
        keep(&part)?;
    }
    Ok(())
}

async fn limited<T>(
    image: &RegistryImage,
    limit: Duration,
    work: impl Future<Output = Result<T, ImageError>>,
) -> Result<T, ImageError> {
    timeout(limit, work).await.unwrap_or_else(|_| {
        let message = format!("timed out after {limit:?}");
        let source = std::io::Error::new(std::io::ErrorKind::TimedOut, message);
        Err(ImageError::Unavailable {
            image: image.to_string(),
            source: source.into(),
        })
    })
}

async fn in_time<T>(
    image: &RegistryImage,
    limit: Duration,
    request: impl Future<Output = Result<T, OciDistributionError>>,
) -> Result<T, ImageError> {
    limited(image, limit, async {
        request.await.map_err(|error| failed(image, error))
    })
    .await
}

fn failed(image: &RegistryImage, error: OciDistributionError) -> ImageError {
    let name = image.to_string();
    let unavailable = |error: OciDistributionError| ImageError::Unavailable {
        image: image.to_string(),
        source: error.into(),
    };
    match error {
        OciDistributionError::ImageManifestNotFoundError(_)
        | OciDistributionError::ServerError { code: 404, .. } => {
            ImageError::NotFound { image: name }
        }
        OciDistributionError::UnauthorizedError { .. }
        | OciDistributionError::AuthenticationFailure(_)
        | OciDistributionError::ServerError {
            code: 401 | 403, ..
        } => ImageError::Unauthorized { image: name },
        OciDistributionError::RegistryError { envelope, url } => {
            let has = |codes: &[OciErrorCode]| {
                envelope
                    .errors
                    .iter()
                    .any(|error| codes.contains(&error.code))
            };
            use OciErrorCode::{
                BlobUnknown, Denied, ManifestUnknown, NameUnknown, NotFound, Unauthorized,
            };
            if has(&[ManifestUnknown, NameUnknown, BlobUnknown, NotFound]) {
                ImageError::NotFound { image: name }
            } else if has(&[Unauthorized, Denied]) {
                ImageError::Unauthorized { image: name }
            } else {
                unavailable(OciDistributionError::RegistryError { envelope, url })
            }
        }
        error => unavailable(error),
    }
}
