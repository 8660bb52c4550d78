//! Keys and certificates (Masterminds/sprig `crypto.go`).

use std::any::Any;
use std::borrow::Cow;
use std::net::IpAddr;
use std::rc::Rc;

use super::encoding::decode64;
use super::{Result, int, text};
use crate::crypto::{HostRandom, Issuer, Key, Request, decode_pem, issue, issuer_of};
use crate::error::CallError;
use crate::exec::Call;
use crate::fmt;
use crate::function::Function;
use crate::function::Type::{Int, List, Named, String as Str};
use crate::time::{Duration, SECOND, Time};
use crate::value::{Object, Value, View};

/// The type of what these functions return.
const TYPE: &str = "sprig.certificate";
/// Bits of the keys that belong to certificates.
const RSA_BITS: usize = 2048;
/// Work of making an RSA key, in steps of a run.
const RSA_WORK: usize = 8_000_000;

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("genPrivateKey", &[Str], private_key),
    Function::new("buildCustomCert", &[Str, Str], build_custom),
    Function::new("genCA", &[Str, Int], |call, v| {
        let key = new_key(call)?;
        authority(call, v, &key)
    }),
    Function::new("genCAWithKey", &[Str, Int, Str], |call, v| {
        let key = given_key(&v[2])?;
        authority(call, v, &key)
    }),
    Function::new("genSelfSignedCert", &[Str, List, List, Int], |call, v| {
        let key = new_key(call)?;
        let request = request(call, v, &v[3])?;
        finish(call, &request, &key, None)
    }),
    Function::new(
        "genSelfSignedCertWithKey",
        &[Str, List, List, Int, Str],
        |call, v| {
            let key = given_key(&v[4])?;
            let request = request(call, v, &v[3])?;
            finish(call, &request, &key, None)
        },
    ),
    Function::new(
        "genSignedCert",
        &[Str, List, List, Int, Named(TYPE)],
        |call, v| {
            let key = new_key(call)?;
            signed(call, v, &key)
        },
    ),
    Function::new(
        "genSignedCertWithKey",
        &[Str, List, List, Int, Named(TYPE), Str],
        |call, v| {
            let key = given_key(&v[5])?;
            signed(call, v, &key)
        },
    ),
];

/// A certificate and its key, both in PEM.
struct Certificate {
    cert: Value,
    key: Value,
}

impl Object for Certificate {
    fn type_name(&self) -> Cow<'static, str> {
        TYPE.into()
    }

    fn view(&self) -> View {
        View::Struct(vec![("Cert", self.cert.clone()), ("Key", self.key.clone())])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn private_key(call: &mut Call<'_>, v: &[Value]) -> Result {
    let mut random = HostRandom(call.host());
    let key_type = text(&v[0]);
    let key = match &*key_type {
        "" | "rsa" => {
            call.work(4 * RSA_WORK)?;
            Key::rsa(&mut random, 4096)
        }
        "ecdsa" => Ok(Key::ecdsa(&mut random)),
        "ed25519" => Ok(Key::ed25519(&mut random)),
        "dsa" => {
            call.work(2 * RSA_WORK)?;
            Ok(Key::dsa(&mut random))
        }
        other => return Ok(format!("Unknown type {other}").into()),
    };
    Ok(match key.and_then(|key| key.to_pem()) {
        Ok(pem) => pem.into(),
        Err(error) => format!("failed to generate private key: {error}").into(),
    })
}

fn new_key(call: &mut Call<'_>) -> std::result::Result<Key, CallError> {
    call.work(RSA_WORK)?;
    Key::rsa(&mut HostRandom(call.host()), RSA_BITS)
        .map_err(|error| CallError::text(format!("error generating rsa key: {error}")))
}

fn given_key(pem: &Value) -> std::result::Result<Key, CallError> {
    Key::from_pem(&text(pem))
        .map_err(|error| CallError::text(format!("parsing private key: {error}")))
}

fn build_custom(_: &mut Call<'_>, v: &[Value]) -> Result {
    let decoded = |value: &Value, what: &str| {
        decode64(value.string_bytes().unwrap_or_default())
            .map(fmt::into_text)
            .map_err(|_| CallError::text(format!("unable to decode base64 {what}")))
    };
    let cert = decoded(&v[0], "certificate")?;
    let key = decoded(&v[1], "private key")?;
    let (_, bytes) = decode_pem(&cert).ok_or("unable to decode certificate")?;
    issuer_of(&bytes)
        .ok_or("error parsing certificate: decodedCert.Bytes: x509: malformed certificate")?;
    Key::from_pem(&key)
        .map_err(|error| CallError::text(format!("error parsing private key: {error}")))?;
    Ok(certificate(cert, key))
}

fn certificate(cert: String, key: String) -> Value {
    Value::Object(Rc::new(Certificate {
        cert: cert.into(),
        key: key.into(),
    }))
}

/// Name, addresses and names from the first three arguments.
fn request(call: &Call<'_>, v: &[Value], days: &Value) -> std::result::Result<Request, CallError> {
    let items = |value: &Value| {
        value
            .as_list()
            .map(|list| list.to_vec())
            .unwrap_or_default()
    };
    let mut addresses = Vec::new();
    for item in items(&v[1]) {
        let Some(text) = item.text() else {
            let shown = fmt::text_of(&item);
            return Err(format!("error parsing ip: {shown} is not a string").into());
        };
        let address: IpAddr = text
            .parse()
            .map_err(|_| CallError::text(format!("error parsing ip: {text}")))?;
        addresses.push(address);
    }
    let mut names = Vec::new();
    for item in items(&v[2]) {
        let Some(text) = item.text() else {
            let shown = fmt::text_of(&item);
            let problem = "error processing alternate dns name";
            return Err(format!("{problem}: {shown} is not a string").into());
        };
        names.push(text.into_owned());
    }
    Ok(Request {
        addresses,
        names,
        ..plain_request(call, &v[0], days)
    })
}

fn plain_request(call: &Call<'_>, name: &Value, days: &Value) -> Request {
    let from = Time::from_nanos(call.host().now());
    let span = (24 * 3600 * SECOND).wrapping_mul(int(days));
    Request {
        common_name: text(name).into_owned(),
        addresses: Vec::new(),
        names: Vec::new(),
        to: from.plus(Duration(span)),
        from,
        authority: false,
    }
}

fn authority(call: &mut Call<'_>, v: &[Value], key: &Key) -> Result {
    let request = Request {
        authority: true,
        ..plain_request(call, &v[0], &v[1])
    };
    finish(call, &request, key, None)
}

fn signed(call: &mut Call<'_>, v: &[Value], key: &Key) -> Result {
    let field = |name: &str| match &v[4] {
        Value::Object(object) => object.field(name).unwrap_or_default(),
        _ => Value::Nil,
    };
    let cert = field("Cert");
    let (_, bytes) = decode_pem(&text(&cert))
        .map(|(block, bytes)| (block.to_owned(), bytes))
        .ok_or("unable to decode certificate")?;
    let issuer = issuer_of(&bytes)
        .ok_or("error parsing certificate: decodedSignerCert.Bytes: x509: malformed certificate")?;
    let signer = Key::from_pem(&text(&field("Key")))
        .map_err(|error| CallError::text(format!("error parsing private key: {error}")))?;
    let request = request(call, v, &v[3])?;
    finish(call, &request, key, Some((&issuer, &signer)))
}

fn finish(
    call: &Call<'_>,
    request: &Request,
    key: &Key,
    issuer: Option<(&Issuer, &Key)>,
) -> Result {
    let random = HostRandom(call.host());
    let cert = issue(&random, request, key, issuer)
        .map_err(|error| CallError::text(format!("error creating certificate: {error}")))?;
    Ok(certificate(cert, key.to_pem().map_err(CallError::from)?))
}
