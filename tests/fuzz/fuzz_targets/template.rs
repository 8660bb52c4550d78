//! Templates: reading and running any text ends within its limits.
#![no_main]

use weir_template::{Engine, Host, Limits, Options, Value};

/// A host where it is always the same second and nothing is random.
struct Still;

impl Host for Still {
    fn now(&self) -> i128 {
        1_700_000_000_000_000_000
    }

    fn fill_random(&self, buffer: &mut [u8]) {
        // A search for primes would not end if all bytes were the same.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for byte in buffer {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = (state >> 32) as u8;
        }
    }

    fn lookup(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Value, String> {
        Ok(Value::map::<&str>([]))
    }
}

fn dot() -> Value {
    let list = Value::list(vec![Value::int(1), Value::from("two"), Value::from(3.5)]);
    let map = Value::map([("a", Value::int(1)), ("b", list.clone())]);
    let values = Value::map([
        ("s", Value::from("häß lich")),
        ("n", Value::from(7.0)),
        ("nil", Value::Nil),
        ("list", list),
        ("map", map),
    ]);
    Value::map([("Values", values)])
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    let limits = Limits {
        steps: 200_000,
        output: 1 << 20,
        ..Limits::default()
    };
    let mut engine = Engine::new(Options {
        limits,
        ..Options::default()
    });
    if engine.parse("c/templates/t.yaml", text).is_ok() {
        let _ = engine.execute(&Still, "c/templates/t.yaml", dot());
    }
});
