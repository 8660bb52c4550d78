//! X.509 certificates, with what Sprig puts into them.

use std::net::IpAddr;

use sha1::{Digest as _, Sha1};

use super::der::{
    self, BIT_STRING, BOOLEAN, GENERALIZED_TIME, INTEGER, OCTET_STRING, OID, PRINTABLE_STRING,
    SEQUENCE, SET, UTC_TIME, UTF8_STRING,
};
use super::key::Key;
use super::{HostRandom, encode_pem};
use crate::time::{Time, format};

/// `commonName`.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// `keyUsage`.
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
/// `extKeyUsage`.
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
/// `basicConstraints`.
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
/// `subjectKeyIdentifier`.
const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1d, 0x0e];
/// `authorityKeyIdentifier`.
const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 0x23];
/// `subjectAltName`.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// `serverAuth`.
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
/// `clientAuth`.
const CLIENT_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];

/// What a certificate is to say.
pub(crate) struct Request {
    pub(crate) common_name: String,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) names: Vec<String>,
    pub(crate) from: Time,
    pub(crate) to: Time,
    /// It may sign others.
    pub(crate) authority: bool,
}

/// What of an issuer's certificate goes into those that it signs.
pub(crate) struct Issuer {
    /// Its name, in DER.
    name: Vec<u8>,
    key_id: Option<Vec<u8>>,
}

/// Reads the certificate of an issuer; nothing for what is none.
pub(crate) fn issuer_of(certificate: &[u8]) -> Option<Issuer> {
    let mut data = certificate;
    let mut outer = der::expect(&mut data, SEQUENCE)?;
    let mut fields = der::expect(&mut outer, SEQUENCE)?;
    // The version, which is optional, and the serial number.
    if der::next(&mut fields)?.tag == 0xa0 {
        der::expect(&mut fields, INTEGER)?;
    }
    let _algorithm = der::expect(&mut fields, SEQUENCE)?;
    let _issuer = der::expect(&mut fields, SEQUENCE)?;
    let _validity = der::expect(&mut fields, SEQUENCE)?;
    let subject = der::next(&mut fields).filter(|item| item.tag == SEQUENCE)?;
    let _key = der::expect(&mut fields, SEQUENCE)?;
    Some(Issuer {
        name: subject.whole.to_vec(),
        key_id: key_id(fields),
    })
}

/// The `subjectKeyIdentifier` among the extensions.
fn key_id(mut fields: &[u8]) -> Option<Vec<u8>> {
    let mut wrapped = der::expect(&mut fields, 0xa3)?;
    let mut extensions = der::expect(&mut wrapped, SEQUENCE)?;
    while let Some(mut extension) = der::expect(&mut extensions, SEQUENCE) {
        if der::expect(&mut extension, OID)? == SUBJECT_KEY_ID {
            let mut value = der::expect(&mut extension, OCTET_STRING)?;
            return der::expect(&mut value, OCTET_STRING).map(<[u8]>::to_vec);
        }
    }
    None
}

/// Signs a certificate for a key and returns it in PEM. Without an issuer it signs itself.
pub(crate) fn issue(
    random: &HostRandom<'_>,
    request: &Request,
    key: &Key,
    issuer: Option<(&Issuer, &Key)>,
) -> Result<String, String> {
    let subject = name(&request.common_name);
    let signer = issuer.map_or(key, |(_, key)| key);
    let issuer_name = issuer.map_or(&subject, |(issuer, _)| &issuer.name);
    let authority_key = issuer
        .filter(|_| *issuer_name != subject)
        .and_then(|(issuer, _)| issuer.key_id.as_deref());
    let mut serial = [0; 16];
    random.0.fill_random(&mut serial);
    let body = der::list(
        SEQUENCE,
        &[
            der::tagged(0xa0, &der::tagged(INTEGER, &[2])),
            der::unsigned(&serial),
            signer.signature_algorithm()?,
            issuer_name.clone(),
            der::list(SEQUENCE, &[time(&request.from), time(&request.to)]),
            subject,
            key.public_info()?,
            der::tagged(0xa3, &extensions(request, key, authority_key)?),
        ],
    );
    let signature = der::bits(&signer.sign(&body)?);
    let parts = [body, signer.signature_algorithm()?, signature];
    Ok(encode_pem("CERTIFICATE", &der::list(SEQUENCE, &parts)))
}

fn name(common_name: &str) -> Vec<u8> {
    if common_name.is_empty() {
        return der::tagged(SEQUENCE, &[]);
    }
    let printable = |c: char| c.is_ascii_alphanumeric() || " '()+,-./:=?".contains(c);
    let tag = if common_name.chars().all(printable) {
        PRINTABLE_STRING
    } else {
        UTF8_STRING
    };
    let attribute = [
        der::tagged(OID, COMMON_NAME),
        der::tagged(tag, common_name.as_bytes()),
    ];
    let set = der::tagged(SET, &der::list(SEQUENCE, &attribute));
    der::tagged(SEQUENCE, &set)
}

fn time(time: &Time) -> Vec<u8> {
    let year = time.civil().year;
    if (1950..2050).contains(&year) {
        der::tagged(UTC_TIME, format(time, "060102150405Z").as_bytes())
    } else {
        der::tagged(GENERALIZED_TIME, format(time, "20060102150405Z").as_bytes())
    }
}

fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![der::tagged(OID, oid)];
    if critical {
        parts.push(der::tagged(BOOLEAN, &[0xff]));
    }
    parts.push(der::tagged(OCTET_STRING, value));
    der::list(SEQUENCE, &parts)
}

fn extensions(
    request: &Request,
    key: &Key,
    authority_key: Option<&[u8]>,
) -> Result<Vec<u8>, String> {
    // Digital signature and key encipherment; an authority signs certificates, too.
    let usage: &[u8] = if request.authority {
        &[2, 0b1010_0100]
    } else {
        &[5, 0b1010_0000]
    };
    let purposes = [der::tagged(OID, SERVER_AUTH), der::tagged(OID, CLIENT_AUTH)];
    let constraints = if request.authority {
        der::tagged(BOOLEAN, &[0xff])
    } else {
        Vec::new()
    };
    let mut parts = vec![
        extension(KEY_USAGE, true, &der::tagged(BIT_STRING, usage)),
        extension(EXTENDED_KEY_USAGE, false, &der::list(SEQUENCE, &purposes)),
        extension(
            BASIC_CONSTRAINTS,
            true,
            &der::tagged(SEQUENCE, &constraints),
        ),
    ];
    if request.authority {
        let id = Sha1::digest(key.public_bytes()?);
        parts.push(extension(
            SUBJECT_KEY_ID,
            false,
            &der::tagged(OCTET_STRING, &id),
        ));
    }
    if let Some(id) = authority_key {
        let value = der::tagged(SEQUENCE, &der::tagged(0x80, id));
        parts.push(extension(AUTHORITY_KEY_ID, false, &value));
    }
    if !request.names.is_empty() || !request.addresses.is_empty() {
        let names = request.names.iter();
        let mut alternatives: Vec<_> = names
            .map(|name| der::tagged(0x82, name.as_bytes()))
            .collect();
        alternatives.extend(request.addresses.iter().map(|address| match address {
            IpAddr::V4(address) => der::tagged(0x87, &address.octets()),
            IpAddr::V6(address) => der::tagged(0x87, &address.octets()),
        }));
        parts.push(extension(
            SUBJECT_ALT_NAME,
            false,
            &der::list(SEQUENCE, &alternatives),
        ));
    }
    Ok(der::list(SEQUENCE, &parts))
}
