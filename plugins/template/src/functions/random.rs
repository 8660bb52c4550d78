//! Randomness (Masterminds/sprig `strings.go`, `crypto.go`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::crypto::hex;
use super::{Result, int, text};
use crate::exec::Call;
use crate::function::Function;
use crate::function::Type::{Int, String as Str};
use crate::value::Value;

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("randAlphaNum", &[Int], |call, v| {
        characters(call, int(&v[0]), u8::is_ascii_alphanumeric)
    }),
    Function::new("randAlpha", &[Int], |call, v| {
        characters(call, int(&v[0]), u8::is_ascii_alphabetic)
    }),
    Function::new("randNumeric", &[Int], |call, v| {
        characters(call, int(&v[0]), u8::is_ascii_digit)
    }),
    Function::new("randAscii", &[Int], |call, v| {
        characters(call, int(&v[0]), |byte| matches!(byte, b' '..=b'~'))
    }),
    Function::new("randInt", &[Int, Int], |call, v| {
        let (low, high) = (int(&v[0]), int(&v[1]));
        let span = high.wrapping_sub(low);
        if span <= 0 {
            return Err("invalid argument to Intn".into());
        }
        Ok(Value::int(low + below(call, span as u64) as i64))
    }),
    Function::new("randBytes", &[Int], |call, v| {
        let count = usize::try_from(int(&v[0]))
            .map_err(|_| "runtime error: makeslice: len out of range")?;
        call.charge(count)?;
        let mut bytes = vec![0; count];
        call.host().fill_random(&mut bytes);
        Ok(STANDARD.encode(bytes).into())
    }),
    Function::new("shuffle", &[Str], |call, v| {
        let mut chars: Vec<char> = text(&v[0]).chars().collect();
        for last in (1..chars.len()).rev() {
            chars.swap(last, below(call, last as u64 + 1) as usize);
        }
        Ok(chars.into_iter().collect::<String>().into())
    }),
    Function::new("uuidv4", &[], |call, _| {
        let mut bytes = [0; 16];
        call.host().fill_random(&mut bytes);
        // Version 4, variant of RFC 9562.
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = hex(&bytes);
        let parts = [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ];
        Ok(parts.join("-").into())
    }),
];

/// A number below a bound, each as likely as the others.
fn below(call: &Call<'_>, bound: u64) -> u64 {
    // What is left of the largest multiple of the bound would favour small numbers.
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let mut bytes = [0; 8];
        call.host().fill_random(&mut bytes);
        let number = u64::from_le_bytes(bytes);
        if number < limit {
            return number % bound;
        }
    }
}

fn characters(call: &mut Call<'_>, count: i64, wanted: fn(&u8) -> bool) -> Result {
    // The library's error for a negative count is dropped by Sprig.
    let count = usize::try_from(count).unwrap_or(0);
    call.charge(count.saturating_mul(4))?;
    let alphabet: Vec<u8> = (0..=0x7f).filter(wanted).collect();
    // Bytes that would favour the first characters are thrown away.
    let limit = 256 - 256 % alphabet.len();
    let mut out = String::with_capacity(count);
    let mut bytes = [0; 64];
    while out.len() < count {
        call.host().fill_random(&mut bytes);
        let fair = bytes.iter().filter(|byte| usize::from(**byte) < limit);
        let chars = fair.map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()]));
        out.extend(chars.take(count - out.len()));
    }
    Ok(out.into())
}
