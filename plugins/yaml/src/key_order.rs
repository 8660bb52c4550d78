//! Order of map keys in what go-yaml writes: numbers inside names count as numbers.

use std::cmp::Ordering;

use crate::resolve::Dialect;

/// Up to here Go sorts by insertion.
const SHORT: usize = 12;

/// Entries in the order of their keys.
///
/// The order that go-yaml gives is none for some keys (a before b, b before c and c before a): the
/// standard library may panic on that, this sort ends with some order, for few entries Go's own.
pub fn sort<T>(dialect: Dialect, mut entries: Vec<(&str, T)>) -> Vec<(&str, T)> {
    let is_less = |a: &str, b: &str| compare(dialect, a, b) == Ordering::Less;
    if entries.len() <= SHORT {
        for end in 1..entries.len() {
            let mut at = end;
            while at > 0 && is_less(entries[at].0, entries[at - 1].0) {
                entries.swap(at, at - 1);
                at -= 1;
            }
        }
        return entries;
    }
    let right = entries.split_off(entries.len() / 2);
    let mut sorted = Vec::with_capacity(entries.len() + right.len());
    let mut left = sort(dialect, entries).into_iter().peekable();
    let mut right = sort(dialect, right).into_iter().peekable();
    while let (Some((a, _)), Some((b, _))) = (left.peek(), right.peek()) {
        let next = if is_less(b, a) {
            right.next()
        } else {
            left.next()
        };
        sorted.extend(next);
    }
    sorted.extend(left);
    sorted.extend(right);
    sorted
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_without_a_consistent_order_are_sorted_to_some_order() {
        let text = ".-0,tr0q xF,tru7,456789014567890121\u{65a}\u{4cb}r0q 0e.,uxF,tru7,->5,true,15,1.0,5,\
                    1234\n\n567\u{feff}8.,~34567\u{feff}890,0,45/7894.00,4e,.,05678494189012345678 -2.,\
                    5 true,1567894.15,tru-e,1,t";
        let keys: Vec<&str> = text.split(',').collect();
        for dialect in [Dialect::V2, Dialect::V3] {
            let sorted = sort(dialect, keys.iter().map(|key| (*key, ())).collect());
            assert_eq!(sorted.len(), keys.len());
            assert!(keys.iter().all(|key| sorted.contains(&(key, ()))));
        }
    }

    #[test]
    fn many_keys_are_sorted_as_few_are() {
        let names: Vec<String> = (0..500).rev().map(|n| format!("key-{n}")).collect();
        let entries: Vec<(&str, usize)> = names.iter().map(|n| (n.as_str(), n.len())).collect();
        let sorted = sort(Dialect::V3, entries);
        let expected: Vec<String> = (0..500).map(|n| format!("key-{n}")).collect();
        let found: Vec<&str> = sorted.iter().map(|(key, _)| *key).collect();
        assert_eq!(found, expected);
    }
}
