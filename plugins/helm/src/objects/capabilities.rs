//! `.Capabilities` (helm/helm pkg/chartutil/capabilities.go). The cluster is asked when a template
//! asks.

use std::any::Any;
use std::borrow::Cow;
use std::rc::Rc;

use weir_template::value::View;
use weir_template::{CallError, Kind, List, ListType, Object, Type, Value};

use super::record::JsonName::UnlessEmpty;
use super::record::Record;
use crate::capabilities::{Discovery, HelmVersion, KubeVersion};

/// What templates see of a cluster.
pub(crate) fn capabilities(discovery: &Rc<dyn Discovery>) -> Value {
    Value::Object(Rc::new(Capabilities {
        discovery: Rc::clone(discovery),
    }))
}

struct Capabilities {
    discovery: Rc<dyn Discovery>,
}

impl Object for Capabilities {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("*chartutil.Capabilities")
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn view(&self) -> View {
        let names = ["KubeVersion", "APIVersions", "HelmVersion"];
        let fields = names.into_iter();
        View::Struct(
            fields
                .filter_map(|name| Some((name, self.field(name)?)))
                .collect(),
        )
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "KubeVersion" => Some(Value::Object(Rc::new(Kube {
                version: self.discovery.kube_version(),
            }))),
            "APIVersions" => Some(Value::Object(Rc::new(VersionSet {
                discovery: Rc::clone(&self.discovery),
            }))),
            "HelmVersion" => Some(helm_version(&HelmVersion::default())),
            _ => None,
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn helm_version(version: &HelmVersion) -> Value {
    Record::new(
        "version.BuildInfo",
        vec![
            ("Version", Value::from(version.version.as_str())),
            ("GitCommit", Value::from(version.git_commit.as_str())),
            ("GitTreeState", Value::from(version.git_tree_state.as_str())),
            ("GoVersion", Value::from(version.go_version.as_str())),
        ],
    )
    .with_json(&[
        UnlessEmpty("version"),
        UnlessEmpty("git_commit"),
        UnlessEmpty("git_tree_state"),
        UnlessEmpty("go_version"),
    ])
    .value()
}

struct Kube {
    version: KubeVersion,
}

impl Object for Kube {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("chartutil.KubeVersion")
    }

    fn view(&self) -> View {
        let version = &self.version;
        View::Struct(vec![
            ("Version", Value::from(version.version.as_str())),
            ("Major", Value::from(version.major.as_str())),
            ("Minor", Value::from(version.minor.as_str())),
        ])
    }

    fn method(&self, name: &str) -> Option<&'static [Type]> {
        matches!(name, "String" | "GitVersion").then_some(&[])
    }

    fn call(&self, _: &str, _: &[Value]) -> Result<Value, CallError> {
        Ok(Value::from(self.version.version.as_str()))
    }

    /// The methods are the pointer's.
    fn text_if_addressable(&self) -> Option<String> {
        Some(self.version.version.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct VersionSet {
    discovery: Rc<dyn Discovery>,
}

impl Object for VersionSet {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("chartutil.VersionSet")
    }

    fn kind(&self) -> Kind {
        Kind::Slice
    }

    fn view(&self) -> View {
        let apis = self.discovery.apis().into_iter();
        View::List(Rc::new(List::new(
            ListType::Strings,
            apis.map(Value::from).collect(),
        )))
    }

    fn method(&self, name: &str) -> Option<&'static [Type]> {
        (name == "Has").then_some(&[Type::String])
    }

    fn call(&self, _: &str, arguments: &[Value]) -> Result<Value, CallError> {
        let name = arguments.first().and_then(Value::text).unwrap_or_default();
        Ok(Value::Bool(self.discovery.has_api(&name)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
