//! Keys and certificates hold together: who signed what, for which key, until when.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Verifier as _;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, DecodeRsaPublicKey as _};
use sha2::Sha256;

fn render(template: &str) -> String {
    support::render(template, "{}").unwrap()
}

fn decode(pem: &str) -> Vec<u8> {
    let body = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(body.collect::<String>()).unwrap()
}

/// The next value of DER: with its tag and length, and without.
fn next<'d>(data: &mut &'d [u8]) -> (&'d [u8], &'d [u8]) {
    let (start, len) = match data[1] {
        len @ ..=0x7f => (2, usize::from(len)),
        0x81 => (3, usize::from(data[2])),
        _ => (4, usize::from(data[2]) << 8 | usize::from(data[3])),
    };
    let (whole, rest) = data.split_at(start + len);
    *data = rest;
    (whole, &whole[start..])
}

/// A certificate taken apart.
struct Certificate {
    signed: Vec<u8>,
    signature: Vec<u8>,
    issuer: Vec<u8>,
    subject: Vec<u8>,
    /// The content of the bit string.
    public_key: Vec<u8>,
    text: String,
}

fn certificate(pem: &str) -> Certificate {
    let der = decode(pem);
    let mut outer = next(&mut &der[..]).1;
    let (signed, mut fields) = next(&mut outer);
    next(&mut outer);
    let signature = next(&mut outer).1;
    for _ in ["version", "serial number", "algorithm"] {
        next(&mut fields);
    }
    let issuer = next(&mut fields).0.to_vec();
    next(&mut fields);
    let subject = next(&mut fields).0.to_vec();
    let mut info = next(&mut fields).1;
    next(&mut info);
    let public_key = next(&mut info).1[1..].to_vec();
    Certificate {
        signed: signed.to_vec(),
        signature: signature[1..].to_vec(),
        issuer,
        subject,
        public_key,
        text: String::from_utf8_lossy(&der).into_owned(),
    }
}

fn is_signed_by(certificate: &Certificate, public_key: &[u8]) -> bool {
    let key = rsa::RsaPublicKey::from_pkcs1_der(public_key).unwrap();
    let signature = rsa::pkcs1v15::Signature::try_from(&certificate.signature[..]).unwrap();
    rsa::pkcs1v15::VerifyingKey::<Sha256>::new(key)
        .verify(&certificate.signed, &signature)
        .is_ok()
}

#[test]
fn an_authority_signs_for_a_server() {
    let text = render(
        r#"{{ $ca := genCA "my-ca" 365 }}{{ $c := genSignedCert "svc" (list "10.0.0.1") (list "svc.local") 30 $ca -}}
{{ $ca.Cert }}@{{ $c.Cert }}@{{ $c.Key }}"#,
    );
    let parts: Vec<&str> = text.split('@').collect();
    let (authority, server) = (certificate(parts[0]), certificate(parts[1]));
    assert!(is_signed_by(&authority, &authority.public_key));
    assert!(is_signed_by(&server, &authority.public_key));
    assert!(!is_signed_by(&server, &server.public_key));
    assert_eq!(server.issuer, authority.subject);
    assert!(server.text.contains("svc.local"));
    // The still clock of the tests shows November 2023.
    assert!(server.text.contains("231114221320Z"));
    assert!(server.text.contains("231214221320Z"));
    let key = rsa::RsaPrivateKey::from_pkcs1_der(&decode(parts[2])).unwrap();
    let public_key = rsa::RsaPublicKey::from_pkcs1_der(&server.public_key).unwrap();
    assert_eq!(key.to_public_key(), public_key);
}

#[test]
fn other_kinds_of_keys_sign() {
    let text = render(
        r#"{{ $e := genPrivateKey "ecdsa" }}{{ (genSelfSignedCertWithKey "ec" nil (list "x") 10 $e).Cert -}}
@{{ $d := genPrivateKey "ed25519" }}{{ (genCAWithKey "ed" 10 $d).Cert }}"#,
    );
    let (ecdsa, edwards) = text.split_once('@').unwrap();
    let ecdsa = certificate(ecdsa);
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&ecdsa.public_key).unwrap();
    let signature = p256::ecdsa::DerSignature::from_bytes(&ecdsa.signature).unwrap();
    assert!(key.verify(&ecdsa.signed, &signature).is_ok());
    let edwards = certificate(edwards);
    let key: [u8; 32] = edwards.public_key[..].try_into().unwrap();
    let key = ed25519_dalek::VerifyingKey::from_bytes(&key).unwrap();
    let signature = ed25519_dalek::Signature::from_slice(&edwards.signature).unwrap();
    assert!(key.verify_strict(&edwards.signed, &signature).is_ok());
}

#[test]
fn what_is_no_key_or_certificate_is_an_error() {
    for (template, message) in [
        (r#"{{ genCAWithKey "a" 1 "x" }}"#, "no PEM data in input"),
        (
            r#"{{ buildCustomCert "!" "" }}"#,
            "unable to decode base64 certificate",
        ),
        (
            r#"{{ genSelfSignedCert "a" (list "x") nil 1 }}"#,
            "error parsing ip: x",
        ),
        (
            r#"{{ genSelfSignedCert "a" nil (list 1) 1 }}"#,
            "error processing alternate dns name: 1 is not a string",
        ),
    ] {
        let error = support::render(template, "{}").unwrap_err();
        assert!(error.contains(message), "{error}");
    }
    assert_eq!(render(r#"{{ genPrivateKey "x" }}"#), "Unknown type x");
}

#[test]
fn ciphers_and_passwords_round_trip() {
    assert_eq!(
        render(r#"{{ encryptAES "key" "hello" | decryptAES "key" }}"#),
        "hello"
    );
    let line = render(r#"{{ htpasswd "u" "p" }}"#);
    assert!(line.starts_with("u:$2a$10$"), "{line}");
    assert_eq!(line.len(), 2 + 60);
    assert_eq!(
        render(r#"{{ htpasswd "a:b" "p" }}"#),
        "invalid username: a:b"
    );
    assert_eq!(render("{{ randAlphaNum 12 | len }}"), "12");
    assert_eq!(render("{{ randBytes 12 | b64dec | len }}"), "12");
    let uuid = render("{{ uuidv4 }}");
    assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
}

#[test]
fn a_dsa_key_holds_together_and_signs_nothing() {
    let text = render("{{ genPrivateKey \"dsa\" }}");
    assert!(text.starts_with("-----BEGIN DSA PRIVATE KEY-----\n"));
    let der = decode(&text);
    let mut fields = next(&mut &der[..]).1;
    let mut integer = || rsa::BigUint::from_bytes_be(next(&mut fields).1);
    let (version, p, q) = (integer(), integer(), integer());
    let (generator, public, secret) = (integer(), integer(), integer());
    let one = rsa::BigUint::from(1_u8);
    assert_eq!((version, p.bits(), q.bits()), (0_u8.into(), 2048, 256));
    assert_eq!((&p - &one) % &q, 0_u8.into());
    assert_eq!(generator.modpow(&q, &p), one);
    assert!(generator > one && secret < q);
    assert_eq!(generator.modpow(&secret, &p), public);
    for prime in [&p, &q] {
        assert_eq!(rsa::BigUint::from(3_u8).modpow(&(prime - &one), prime), one);
    }

    let template = "{{ $key := genPrivateKey \"dsa\" }}{{ genCAWithKey \"a\" 1 $key }}";
    let error = support::render(template, "{}").unwrap_err();
    assert!(
        error.ends_with(
            "error calling genCAWithKey: error creating certificate: x509: certificate private \
             key does not implement crypto.Signer"
        ),
        "{error}"
    );
}
