//! Digests, passwords and ciphers (Masterminds/sprig `crypto.go`).

use aes::Aes256;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{NO_PAD, STANDARD};
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _};
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::encoding::decode64;
use super::{Result, int, text};
use crate::error::CallError;
use crate::exec::Call;
use crate::function::Function;
use crate::function::Type::{String as Str, Uint32};
use crate::value::Value;

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("sha1sum", &[Str], |_, v| Ok(digest::<Sha1>(&v[0]))),
    Function::new("sha256sum", &[Str], |_, v| Ok(digest::<Sha256>(&v[0]))),
    Function::new("sha512sum", &[Str], |_, v| Ok(digest::<Sha512>(&v[0]))),
    Function::new("adler32sum", &[Str], |_, v| Ok(adler32(&v[0]))),
    Function::new("bcrypt", &[Str], |call, v| Ok(bcrypt(call, &v[0]).into())),
    Function::new("htpasswd", &[Str, Str], htpasswd),
    Function::new("derivePassword", &[Uint32, Str, Str, Str, Str], derive),
    Function::new("encryptAES", &[Str, Str], encrypt),
    Function::new("decryptAES", &[Str, Str], decrypt),
];

/// Work of a slow hash, in steps of a run.
const SLOW_HASH: usize = 1_000_000;

pub(super) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        out.push(char::from_digit((byte >> 4).into(), 16).unwrap_or('0'));
        out.push(char::from_digit((byte & 15).into(), 16).unwrap_or('0'));
    }
    out
}

fn digest<D: Digest>(value: &Value) -> Value {
    hex(&D::digest(value.string_bytes().unwrap_or_default())).into()
}

fn adler32(value: &Value) -> Value {
    let (mut a, mut b) = (1u32, 0u32);
    for byte in value.string_bytes().unwrap_or_default() {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    (b << 16 | a).to_string().into()
}

/// The alphabet of bcrypt is its own.
fn bcrypt(call: &mut Call<'_>, password: &Value) -> String {
    const COST: u32 = 10;
    let password = password.string_bytes().unwrap_or_default();
    if password.len() > 72 {
        let problem = "bcrypt: password length exceeds 72 bytes";
        return format!("failed to encrypt string with bcrypt: {problem}");
    }
    let mut salt = [0; 16];
    call.host().fill_random(&mut salt);
    // The password ends in a zero, unless it is too long for it.
    let mut ended = password.to_vec();
    ended.push(0);
    ended.truncate(72);
    let hash = bcrypt::bcrypt(COST, salt, &ended);
    let encoder = GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD);
    let (salt, hash) = (encoder.encode(salt), encoder.encode(&hash[..23]));
    format!("$2a${COST}${salt}{hash}")
}

fn htpasswd(call: &mut Call<'_>, v: &[Value]) -> Result {
    let user = text(&v[0]);
    if user.contains(':') {
        return Ok(format!("invalid username: {user}").into());
    }
    call.work(SLOW_HASH)?;
    Ok(format!("{user}:{}", bcrypt(call, &v[1])).into())
}

/// Templates of the passwords of a type: each letter stands for a class of characters.
fn password_templates(password_type: &str) -> Option<&'static [&'static str]> {
    Some(match password_type {
        "maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        "long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        "medium" => &["CvcnoCvc", "CvcCvcno"],
        "short" => &["Cvcn"],
        "basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        "pin" => &["nnnn"],
        _ => return None,
    })
}

fn password_class(letter: u8) -> &'static [u8] {
    match letter {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'A' => b"AEIOUBCDFGHJKLMNPQRSTVWXYZ",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// The Master Password algorithm, to which Sprig adheres by its names and constants.
fn derive(call: &mut Call<'_>, v: &[Value]) -> Result {
    const SEED: &[u8] = b"com.lyndir.masterpassword";
    let [password_type, password, user, site] = [1, 2, 3, 4].map(|i| text(&v[i]));
    let Some(templates) = password_templates(&password_type) else {
        return Ok(format!("cannot find password template {password_type}").into());
    };
    call.work(10 * SLOW_HASH)?;
    let sized = |text: &str| [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat();
    let salt = [SEED, &sized(&user)].concat();
    let mut key = [0; 64];
    // 2^15, as Sprig has it.
    let params = scrypt::Params::new(15, 8, 2, 64).map_err(|error| error.to_string())?;
    scrypt::scrypt(password.as_bytes(), &salt, &params, &mut key)
        .map_err(|error| error.to_string())?;
    let counter = (int(&v[0]) as u32).to_be_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| error.to_string())?;
    mac.update(&[SEED, &sized(&site), &counter].concat());
    let seed = mac.finalize().into_bytes();
    let template = templates[usize::from(seed[0]) % templates.len()];
    let chosen = template.bytes().zip(&seed[1..]).map(|(letter, byte)| {
        let class = password_class(letter);
        char::from(class[usize::from(*byte) % class.len()])
    });
    Ok(chosen.collect::<String>().into())
}

/// A password is the key itself, cut or filled up with zeros.
fn aes_key(password: &Value) -> [u8; 32] {
    let password = password.string_bytes().unwrap_or_default();
    let mut key = [0; 32];
    let len = password.len().min(32);
    key[..len].copy_from_slice(&password[..len]);
    key
}

fn encrypt(call: &mut Call<'_>, v: &[Value]) -> Result {
    let plain = v[1].string_bytes().unwrap_or_default();
    if plain.is_empty() {
        return Ok("".into());
    }
    let mut vector = [0; 16];
    call.host().fill_random(&mut vector);
    let cipher = cbc::Encryptor::<Aes256>::new(&aes_key(&v[0]).into(), &vector.into());
    let sealed = cipher.encrypt_padded_vec_mut::<Pkcs7>(plain);
    Ok(STANDARD.encode([&vector[..], &sealed].concat()).into())
}

fn decrypt(_: &mut Call<'_>, v: &[Value]) -> Result {
    let sealed = v[1].string_bytes().unwrap_or_default();
    if sealed.is_empty() {
        return Ok("".into());
    }
    let sealed = decode64(sealed)
        .map_err(|at| CallError::text(format!("illegal base64 data at input byte {at}")))?;
    let Some((vector, body)) = sealed.split_first_chunk::<16>() else {
        let len = sealed.len();
        return Err(
            format!("runtime error: slice bounds out of range [:16] with capacity {len}").into(),
        );
    };
    if body.len() % 16 != 0 {
        return Err("crypto/cipher: input not full blocks".into());
    }
    let cipher = cbc::Decryptor::<Aes256>::new(&aes_key(&v[0]).into(), vector.into());
    let mut plain = cipher
        .decrypt_padded_vec_mut::<NoPadding>(body)
        .map_err(|error| error.to_string())?;
    // The last byte says how many there are to drop, whether they are padding or not.
    let Some(last) = plain.last().copied() else {
        return Err("runtime error: index out of range [-1]".into());
    };
    let Some(len) = plain.len().checked_sub(last.into()) else {
        let end = plain.len() as i64 - i64::from(last);
        return Err(format!("runtime error: slice bounds out of range [:{end}]").into());
    };
    plain.truncate(len);
    Ok(Value::string_from_bytes(plain))
}
