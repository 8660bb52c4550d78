//! Private keys.

use ed25519_dalek::Signer as _;
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs1v15;
use rsa::pkcs8::DecodePrivateKey;
use rsa::signature::SignatureEncoding as _;
use sha2::Sha256;

use super::der::{self, INTEGER, NULL, OCTET_STRING, OID, SEQUENCE};
use super::prime::prime;
use super::{HostRandom, decode_pem, dsa, encode_pem};

/// `rsaEncryption`.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// `sha256WithRSAEncryption`.
const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
/// `id-ecPublicKey`.
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// `prime256v1`.
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// `ecdsa-with-SHA256`.
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
/// `id-Ed25519`.
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// What Go's `crypto/x509` says of a DSA key that shall sign, and of one to be certified.
const SIGNS_NOTHING: &str = "x509: certificate private key does not implement crypto.Signer";
const NOT_FOR_CERTIFICATES: &str = "x509: unsupported public key type: *dsa.PublicKey";

/// A private key of one of the kinds that are made and read.
pub(crate) enum Key {
    Rsa(Box<rsa::RsaPrivateKey>),
    Ecdsa(p256::SecretKey),
    Ed25519(Box<ed25519_dalek::SigningKey>),
    /// Its DER: such keys are passed on and nothing else.
    Dsa(Vec<u8>),
}

impl Key {
    /// A new RSA key.
    pub(crate) fn rsa(random: &mut HostRandom<'_>, bits: usize) -> Result<Self, String> {
        let exponent = rsa::BigUint::from(65_537_u32);
        loop {
            let mut prime = || prime(random, bits / 2).ok_or("unsupported size of an RSA key");
            let (p, q) = (prime()?, prime()?);
            // Once in many thousand keys the exponent divides what it must not.
            if let Ok(key) = rsa::RsaPrivateKey::from_p_q(p, q, exponent.clone()) {
                return Ok(Self::Rsa(Box::new(key)));
            }
        }
    }

    /// A new key on the curve P-256.
    pub(crate) fn ecdsa(random: &mut HostRandom<'_>) -> Self {
        Self::Ecdsa(p256::SecretKey::random(random))
    }

    /// A new Ed25519 key.
    pub(crate) fn ed25519(random: &mut HostRandom<'_>) -> Self {
        let mut seed = [0; 32];
        random.0.fill_random(&mut seed);
        Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// A new DSA key.
    pub(crate) fn dsa(random: &mut HostRandom<'_>) -> Self {
        Self::Dsa(dsa::new_key(random))
    }

    /// Reads a key (Masterminds/sprig `crypto.go`, `parsePrivateKeyPEM`).
    pub(crate) fn from_pem(text: &str) -> Result<Self, String> {
        let (block, bytes) = decode_pem(text).ok_or("no PEM data in input")?;
        if block == "PRIVATE KEY" {
            return from_pkcs8(&bytes)
                .ok_or_else(|| "decoding PEM as PKCS#8: unknown key".to_owned());
        }
        match block.strip_suffix(" PRIVATE KEY") {
            Some("RSA") => rsa::RsaPrivateKey::from_pkcs1_der(&bytes)
                .map(|key| Self::Rsa(Box::new(key)))
                .map_err(|error| format!("parsing RSA private key from PEM: {error}")),
            Some("EC") => from_sec1(&bytes)
                .ok_or_else(|| "parsing EC private key from PEM: unknown curve".to_owned()),
            Some("DSA") if dsa::is_key(&bytes) => Ok(Self::Dsa(bytes)),
            Some("DSA") => Err("parsing DSA private key from PEM: asn1: structure error".into()),
            Some(other) => Err(format!("invalid private key type {other}")),
            None => Err(format!("no private key data in PEM block of type {block}")),
        }
    }

    /// The key in the form that Go chooses for its kind.
    pub(crate) fn to_pem(&self) -> Result<String, String> {
        Ok(match self {
            Self::Rsa(key) => {
                let der = key.to_pkcs1_der().map_err(|error| error.to_string())?;
                encode_pem("RSA PRIVATE KEY", der.as_bytes())
            }
            Self::Ecdsa(key) => {
                let parts = [
                    der::tagged(INTEGER, &[1]),
                    der::tagged(OCTET_STRING, &key.to_bytes()),
                    der::tagged(0xa0, &der::tagged(OID, P256)),
                    der::tagged(0xa1, &der::bits(&self.public_bytes()?)),
                ];
                encode_pem("EC PRIVATE KEY", &der::list(SEQUENCE, &parts))
            }
            Self::Ed25519(key) => {
                let seed = der::tagged(OCTET_STRING, &key.to_bytes());
                let parts = [
                    der::tagged(INTEGER, &[0]),
                    self.algorithm()?,
                    der::tagged(OCTET_STRING, &seed),
                ];
                encode_pem("PRIVATE KEY", &der::list(SEQUENCE, &parts))
            }
            Self::Dsa(der) => encode_pem("DSA PRIVATE KEY", der),
        })
    }

    /// The public key as it stands in a certificate's bit string.
    pub(super) fn public_bytes(&self) -> Result<Vec<u8>, String> {
        Ok(match self {
            Self::Rsa(key) => {
                let der = key.to_public_key().to_pkcs1_der();
                der.map_err(|error| error.to_string())?.as_bytes().to_vec()
            }
            Self::Ecdsa(key) => key.public_key().to_encoded_point(false).as_bytes().to_vec(),
            Self::Ed25519(key) => key.verifying_key().to_bytes().to_vec(),
            Self::Dsa(_) => return Err(NOT_FOR_CERTIFICATES.to_owned()),
        })
    }

    fn algorithm(&self) -> Result<Vec<u8>, String> {
        let oid = |oid| der::tagged(OID, oid);
        Ok(match self {
            Self::Rsa(_) => der::list(SEQUENCE, &[oid(RSA), der::tagged(NULL, &[])]),
            Self::Ecdsa(_) => der::list(SEQUENCE, &[oid(EC), oid(P256)]),
            Self::Ed25519(_) => der::list(SEQUENCE, &[oid(ED25519)]),
            Self::Dsa(_) => return Err(NOT_FOR_CERTIFICATES.to_owned()),
        })
    }

    /// `SubjectPublicKeyInfo`.
    pub(super) fn public_info(&self) -> Result<Vec<u8>, String> {
        let parts = [self.algorithm()?, der::bits(&self.public_bytes()?)];
        Ok(der::list(SEQUENCE, &parts))
    }

    /// The algorithm that [`Key::sign`] signs with.
    pub(super) fn signature_algorithm(&self) -> Result<Vec<u8>, String> {
        let oid = |oid| der::tagged(OID, oid);
        Ok(match self {
            Self::Rsa(_) => der::list(SEQUENCE, &[oid(RSA_SHA256), der::tagged(NULL, &[])]),
            Self::Ecdsa(_) => der::list(SEQUENCE, &[oid(ECDSA_SHA256)]),
            Self::Ed25519(_) => der::list(SEQUENCE, &[oid(ED25519)]),
            Self::Dsa(_) => return Err(SIGNS_NOTHING.to_owned()),
        })
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            Self::Rsa(key) => {
                let signer = pkcs1v15::SigningKey::<Sha256>::new(key.as_ref().clone());
                let signature = signer.try_sign(message);
                signature
                    .map(|signature| signature.to_vec())
                    .map_err(|error| error.to_string())
            }
            Self::Ecdsa(key) => {
                let signer = p256::ecdsa::SigningKey::from(key);
                let signature: p256::ecdsa::DerSignature = signer.sign(message);
                Ok(signature.as_bytes().to_vec())
            }
            Self::Ed25519(key) => Ok(key.sign(message).to_bytes().to_vec()),
            Self::Dsa(_) => Err(SIGNS_NOTHING.to_owned()),
        }
    }
}

/// `ECPrivateKey` on the one curve that is supported.
fn from_sec1(bytes: &[u8]) -> Option<Key> {
    let mut data = bytes;
    let mut fields = der::expect(&mut data, SEQUENCE)?;
    der::expect(&mut fields, INTEGER)?;
    let secret = der::expect(&mut fields, OCTET_STRING)?;
    p256::SecretKey::from_slice(secret).ok().map(Key::Ecdsa)
}

fn from_pkcs8(bytes: &[u8]) -> Option<Key> {
    if let Ok(key) = rsa::RsaPrivateKey::from_pkcs8_der(bytes) {
        return Some(Key::Rsa(Box::new(key)));
    }
    let mut data = bytes;
    let mut fields = der::expect(&mut data, SEQUENCE)?;
    der::expect(&mut fields, INTEGER)?;
    let mut algorithm = der::expect(&mut fields, SEQUENCE)?;
    let oid = der::expect(&mut algorithm, OID)?;
    let mut secret = der::expect(&mut fields, OCTET_STRING)?;
    if oid == EC {
        return from_sec1(secret);
    }
    if oid != ED25519 {
        return None;
    }
    let seed: [u8; 32] = der::expect(&mut secret, OCTET_STRING)?.try_into().ok()?;
    Some(Key::Ed25519(Box::new(
        ed25519_dalek::SigningKey::from_bytes(&seed),
    )))
}
