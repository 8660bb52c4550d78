//! Semantic versions (Masterminds/sprig `semver.go`).

use std::any::Any;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

use weir_version::{Range, Version};

use super::{Result, text};
use crate::error::CallError;
use crate::exec::Call;
use crate::function::Type::{Named, String as Str};
use crate::function::{Function, Type};
use crate::value::{Kind, Object, UintKind, Value, View};

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("semver", &[Str], |_, v| {
        Ok(Value::Object(Rc::new(Semver(parse(&text(&v[0]))?))))
    }),
    Function::new("semverCompare", &[Str, Str], compare),
];

const TYPE: &str = "*semver.Version";

fn parse(text: &str) -> std::result::Result<Version, CallError> {
    Version::parse_short(text).map_err(|_| CallError::text(complaint(text)))
}

/// Which of its complaints the library has about a text.
fn complaint(text: &str) -> &'static str {
    let pre = text
        .split_once('-')
        .map(|(_, pre)| pre.split('+').next().unwrap_or(pre));
    let leading_zero = |part: &str| {
        part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    match pre {
        Some(pre) if pre.split('.').any(leading_zero) => "Version segment starts with 0",
        _ => "Invalid Semantic Version",
    }
}

fn compare(_: &mut Call<'_>, v: &[Value]) -> Result {
    let range: Range = text(&v[0])
        .parse()
        .map_err(|_| CallError::text(improper(&text(&v[0]))))?;
    Ok(range.contains_each(&parse(&text(&v[1]))?).into())
}

/// The library names the alternative that it cannot read.
fn improper(constraint: &str) -> String {
    let alternatives = constraint.split("||");
    let bad = alternatives
        .into_iter()
        .find(|alternative| alternative.parse::<Range>().is_err());
    format!("improper constraint: {}", bad.unwrap_or(constraint))
}

/// A `*semver.Version`.
struct Semver(Version);

fn uint64(value: u64) -> Value {
    Value::Uint(UintKind::Uint64, value)
}

impl Semver {
    fn with(&self, major: u64, minor: u64, patch: u64) -> Result {
        let prefix = if self.0.as_str().starts_with('v') {
            "v"
        } else {
            ""
        };
        let version = parse(&format!("{prefix}{major}.{minor}.{patch}"))?;
        Ok(Value::Object(Rc::new(Self(version))))
    }

    fn normal(&self) -> String {
        let version = &self.0;
        let mut out = format!(
            "{}.{}.{}",
            version.major(),
            version.minor(),
            version.patch()
        );
        if !version.pre_release().is_empty() {
            out.push('-');
            out.push_str(version.pre_release());
        }
        if !version.build().is_empty() {
            out.push('+');
            out.push_str(version.build());
        }
        out
    }
}

impl Object for Semver {
    fn type_name(&self) -> Cow<'static, str> {
        TYPE.into()
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn view(&self) -> View {
        View::Struct(Vec::new())
    }

    fn method(&self, name: &str) -> Option<&'static [Type]> {
        match name {
            "Major" | "Minor" | "Patch" | "Prerelease" | "Metadata" | "Original" | "String"
            | "IncMajor" | "IncMinor" | "IncPatch" => Some(&[]),
            "SetPrerelease" | "SetMetadata" => Some(&[Str]),
            "Compare" | "Equal" | "GreaterThan" | "GreaterThanEqual" | "LessThan"
            | "LessThanEqual" => Some(&[Named(TYPE)]),
            _ => None,
        }
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result {
        let version = &self.0;
        let (major, minor, patch) = (version.major(), version.minor(), version.patch());
        let pre = !version.pre_release().is_empty();
        Ok(match name {
            "Major" => uint64(major),
            "Minor" => uint64(minor),
            "Patch" => uint64(patch),
            "Prerelease" => version.pre_release().into(),
            "Metadata" => version.build().into(),
            "Original" => version.as_str().into(),
            "String" => self.normal().into(),
            "IncMajor" => return self.with(major + 1, 0, 0),
            "IncMinor" => return self.with(major, minor + 1, 0),
            // A pre-release becomes the release it is before.
            "IncPatch" => return self.with(major, minor, patch + u64::from(!pre)),
            "SetPrerelease" | "SetMetadata" => {
                let given = text(&arguments[0]);
                let (pre, build) = if name == "SetMetadata" {
                    (version.pre_release(), &*given)
                } else {
                    (&*given, version.build())
                };
                let mut out = format!("{major}.{minor}.{patch}");
                if !pre.is_empty() {
                    out = format!("{out}-{pre}");
                }
                if !build.is_empty() {
                    out = format!("{out}+{build}");
                }
                Value::Object(Rc::new(Self(parse(&out)?)))
            }
            _ => return self.comparison(name, &arguments[0]),
        })
    }

    fn text(&self) -> Option<String> {
        Some(self.normal())
    }

    fn json(&self) -> Option<Value> {
        Some(self.normal().into())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Semver {
    fn comparison(&self, name: &str, other: &Value) -> Result {
        let Value::Object(other) = other else {
            return Err("runtime error: invalid memory address or nil pointer dereference".into());
        };
        let Some(other) = other.as_any().downcast_ref::<Self>() else {
            return Err("not a version".into());
        };
        let order = self.0.precedence(&other.0);
        Ok(match name {
            "Compare" => Value::int(order as i64),
            "Equal" => (order == Ordering::Equal).into(),
            "GreaterThan" => order.is_gt().into(),
            "GreaterThanEqual" => order.is_ge().into(),
            "LessThan" => order.is_lt().into(),
            _ => order.is_le().into(),
        })
    }
}
