//! Order of map keys in what go-yaml writes: numbers inside names count as numbers.

use std::cmp::Ordering;

use crate::resolve::Dialect;

/// Compares two keys as go-yaml's `keyList` does (sorter.go).
pub fn compare(dialect: Dialect, a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        let (a, b) = (a.as_bytes(), b.as_bytes());
        return compare_by(
            dialect,
            a.len(),
            b.len(),
            |i| char::from(a[i]),
            |i| char::from(b[i]),
        );
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    compare_by(dialect, a.len(), b.len(), |i| a[i], |i| b[i])
}

fn compare_by(
    dialect: Dialect,
    a_len: usize,
    b_len: usize,
    a: impl Fn(usize) -> char,
    b: impl Fn(usize) -> char,
) -> Ordering {
    let digit = |c: char| c.is_ascii_digit();
    let mut after_digits = false;
    for i in 0..a_len.min(b_len) {
        let (x, y) = (a(i), b(i));
        if x == y {
            after_digits = digit(x);
            continue;
        }
        let (x_letter, y_letter) = (x.is_alphabetic(), y.is_alphabetic());
        if x_letter && y_letter {
            return x.cmp(&y);
        }
        if x_letter || y_letter {
            let less = if dialect == Dialect::V3 && after_digits {
                x_letter
            } else {
                y_letter
            };
            return if less {
                Ordering::Less
            } else {
                Ordering::Greater
            };
        }
        // A zero behind other digits belongs to the number, one in front of it does not.
        let mut start = 0;
        if x == '0' || y == '0' {
            for j in (0..i).rev() {
                if !digit(a(j)) {
                    break;
                }
                if a(j) != '0' {
                    start = 1;
                    break;
                }
            }
        }
        let number = |len: usize, at: &dyn Fn(usize) -> char| {
            let mut value: i64 = start;
            let mut end = i;
            while end < len && digit(at(end)) {
                value = value
                    .wrapping_mul(10)
                    .wrapping_add(i64::from(at(end) as u32 - '0' as u32));
                end += 1;
            }
            (value, end)
        };
        let (x_number, x_end) = number(a_len, &a);
        let (y_number, y_end) = number(b_len, &b);
        return x_number
            .cmp(&y_number)
            .then(x_end.cmp(&y_end))
            .then(x.cmp(&y));
    }
    a_len.cmp(&b_len)
}
