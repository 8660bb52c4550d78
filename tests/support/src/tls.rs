//! Certificates for the test servers: an authority made on the spot, and what it issues.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};

use crate::net::{self, Answer};

/// A certificate authority that lives as long as the test.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// The private key, PKCS #8.
    pub key: String,
}

impl Authority {
    /// A new authority with a key of its own.
    pub fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer })
    }

    /// The authority's own certificate, to be trusted by clients.
    pub fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// A server certificate for names and addresses.
    pub fn issue(&self, names: &[&str]) -> Result<Issued> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

/// A fresh pair of keys (ECDSA P-256), such as an API server signs tokens with.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The private key in PEM, PKCS #8.
    pub private: String,
    /// The public key in PEM.
    pub public: String,
}

impl Keys {
    /// A new pair.
    pub fn generate() -> Result<Self> {
        let pair = KeyPair::generate()?;
        Ok(Self {
            private: pair.serialize_pem(),
            public: pair.public_key_pem(),
        })
    }
}

/// What a blocking TLS server needs of a certificate.
pub(crate) fn server_config(issued: &Issued) -> Result<Arc<ServerConfig>> {
    let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes())
        .context("not a certificate")?;
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).context("not a key")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok(Arc::new(config))
}

/// `GET https://{address}{path}` with an authority that is trusted for it.
pub fn get(address: SocketAddr, ca: &str, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
    let stream = client(&client_config(ca)?, address, net::connect(address)?)?;
    net::exchange(stream, address, "GET", path, headers, b"")
}

/// What a blocking TLS client needs to trust one authority.
pub(crate) fn client_config(ca: &str) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).context("not a certificate")?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// TLS over a connection to a server that is known by its address.
pub(crate) fn client(
    config: &Arc<ClientConfig>,
    address: SocketAddr,
    stream: TcpStream,
) -> Result<StreamOwned<ClientConnection, TcpStream>> {
    let name = ServerName::from(address.ip());
    let client = ClientConnection::new(Arc::clone(config), name)?;
    Ok(StreamOwned::new(client, stream))
}
