//! `weir get`: what the objects of a kind say.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use kube::api::{Api, DynamicObject, ListParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

use super::Error;
use super::connection::{Connection, explain};
use super::kinds::{KINDS, Kind};
use super::output::{self, Table};

/// Show objects and whether they are ready.
#[derive(Debug, Args)]
#[command(
    after_help = "Kinds: gitrepositories (git), kustomizations (ks), providers, alerts, \
                        plugins; groups: sources, all"
)]
pub(super) struct GetArgs {
    /// Kind of the objects, `sources` or `all`
    kind: String,
    /// Only this one
    name: Option<String>,
    #[command(flatten)]
    connection: Connection,
    /// Objects of all namespaces
    #[arg(short = 'A', long, conflicts_with = "name")]
    all_namespaces: bool,
    /// Only objects with these labels
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "name")]
    selector: Option<String>,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    output: Form,
    /// No line with column names
    #[arg(long, alias = "no-header")]
    no_headers: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    #[default]
    Table,
    Wide,
    Json,
    Yaml,
    Name,
}

/// Objects of one kind.
struct Found {
    kind: &'static Kind,
    objects: Vec<DynamicObject>,
}

/// How rows are written.
#[derive(Clone, Copy, Default)]
struct Look {
    is_wide: bool,
    with_titles: bool,
    with_namespace: bool,
    /// Names with their kind before them, where one command shows several.
    with_kind: bool,
}

pub(super) async fn get(args: GetArgs) -> Result<(), Error> {
    let kinds = kinds(&args.kind)?;
    if args.name.is_some() && kinds.len() > 1 {
        return Err(Error::new(
            super::Exit::Usage,
            format!("`{}` is several kinds; a name belongs to one", args.kind),
        ));
    }
    let client = args.connection.client().await?;
    let mut found = Vec::new();
    for kind in &kinds {
        found.push(Found {
            kind,
            objects: objects(&args, &client, kind).await?,
        });
    }
    if found.iter().all(|found| found.objects.is_empty()) && !is_data(args.output) {
        let place = if args.all_namespaces {
            "any namespace".to_owned()
        } else {
            format!("namespace {}", args.connection.namespace)
        };
        let what = if kinds.len() > 1 {
            "objects"
        } else {
            &args.kind
        };
        eprintln!("no {what} found in {place}");
        return Ok(());
    }
    let look = Look {
        is_wide: args.output == Form::Wide,
        with_titles: !args.no_headers,
        with_namespace: args.all_namespaces,
        with_kind: kinds.len() > 1,
    };
    let mut to = io::stdout().lock();
    write(&mut to, args.output, look, &found, args.name.is_some())?;
    Ok(to.flush()?)
}

fn is_data(form: Form) -> bool {
    matches!(form, Form::Json | Form::Yaml)
}

fn kinds(name: &str) -> Result<Vec<&'static Kind>, Error> {
    match name {
        "all" => Ok(KINDS.iter().collect()),
        "sources" => Ok(KINDS
            .iter()
            .filter(|kind| kind.group == weir_api::meta::SOURCE_GROUP)
            .collect()),
        name => Ok(vec![Kind::named(name)?]),
    }
}

async fn objects(
    args: &GetArgs,
    client: &Client,
    kind: &Kind,
) -> Result<Vec<DynamicObject>, Error> {
    let api = if args.all_namespaces {
        Api::all_with(client.clone(), &kind.resource())
    } else {
        args.connection.api(client, kind)
    };
    if let Some(name) = &args.name {
        let object = api
            .get(name)
            .await
            .map_err(|error| explain(error, kind, Some(name)))?;
        return Ok(vec![object]);
    }
    let parameters = match &args.selector {
        Some(selector) => ListParams::default().labels(selector),
        None => ListParams::default(),
    };
    let mut objects = api
        .list(&parameters)
        .await
        .map_err(|error| explain(error, kind, None))?
        .items;
    objects.sort_by_key(|object| (object.namespace(), object.name_any()));
    Ok(objects)
}

fn write(
    to: &mut impl Write,
    form: Form,
    look: Look,
    found: &[Found],
    is_one: bool,
) -> io::Result<()> {
    match form {
        Form::Json => output::json(to, &data(found, is_one)),
        Form::Yaml => output::yaml(to, &data(found, is_one)),
        Form::Name => {
            for Found { kind, objects } in found {
                for object in objects {
                    let name = object.name_any();
                    writeln!(to, "{}.{}/{name}", kind.singular(), kind.group)?;
                }
            }
            Ok(())
        }
        Form::Table | Form::Wide => {
            let mut is_first = true;
            for found in found.iter().filter(|found| !found.objects.is_empty()) {
                if !std::mem::take(&mut is_first) {
                    writeln!(to)?;
                }
                table(found, look).write(to, look.with_titles)?;
            }
            Ok(())
        }
    }
}

fn table(found: &Found, look: Look) -> Table {
    let Found { kind, objects } = found;
    let with_namespace = look.with_namespace && kind.namespaced;
    let titles = with_namespace
        .then_some("NAMESPACE")
        .into_iter()
        .chain(["NAME"]);
    let mut table = Table::new(titles.chain(kind.columns(look.is_wide).map(|column| column.title)));
    for object in objects {
        let mut cells = Vec::new();
        if with_namespace {
            cells.push(object.namespace().unwrap_or_default());
        }
        let name = object.name_any();
        cells.push(if look.with_kind {
            format!("{}/{name}", kind.singular())
        } else {
            name
        });
        cells.extend(
            kind.columns(look.is_wide)
                .map(|column| column.cell(kind, object)),
        );
        table.row(cells);
    }
    table
}

/// The objects as the API server has them, less what only machines read.
fn data(found: &[Found], is_one: bool) -> Value {
    let mut items = Vec::new();
    for Found { kind, objects } in found {
        for object in objects {
            let mut object = object.clone();
            object.metadata.managed_fields = None;
            let resource = kind.resource();
            // Items of a list come without them.
            object.types = Some(kube::api::TypeMeta {
                api_version: resource.api_version,
                kind: resource.kind,
            });
            items.push(serde_json::to_value(object).unwrap_or_default());
        }
    }
    match items.pop() {
        Some(item) if is_one => item,
        last => {
            items.extend(last);
            json!({ "apiVersion": "v1", "kind": "List", "items": items })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> DynamicObject {
        serde_json::from_value(value).unwrap()
    }

    fn repositories() -> Found {
        let ready = json!({
            "type": "Ready", "status": "True", "reason": "Succeeded",
            "message": "stored artifact\nfor revision 'main@sha1:0d7f3c5e1b2a3948576a6b7c8d9e0f1a2b3c4d5e'",
        });
        Found {
            kind: Kind::named("git").unwrap(),
            objects: vec![
                object(json!({
                    "metadata": { "name": "podinfo", "namespace": "apps" },
                    "spec": { "url": "https://example.com/podinfo", "interval": "1m0s" },
                    "status": {
                        "artifact": {
                            "revision": "main@sha1:0d7f3c5e1b2a3948576a6b7c8d9e0f1a2b3c4d5e",
                        },
                        "conditions": [ready],
                    },
                })),
                object(json!({
                    "metadata": { "name": "new", "namespace": "apps" },
                    "spec": { "url": "https://example.com/new", "interval": "5m", "suspend": true },
                })),
            ],
        }
    }

    fn written(form: Form, look: Look, found: &[Found], is_one: bool) -> String {
        let mut bytes = Vec::new();
        write(&mut bytes, form, look, found, is_one).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_table_is_as_the_flux_cli_prints_it() {
        let look = Look {
            with_titles: true,
            ..Look::default()
        };
        assert_eq!(
            written(Form::Table, look, &[repositories()], false),
            "\
NAME      REVISION             SUSPENDED   READY   MESSAGE
podinfo   main@sha1:0d7f3c5e   False       True    stored artifact for revision 'main@sha1:0d7f3c5e'
new                            True        False   waiting to be reconciled
"
        );
    }

    #[test]
    fn all_namespaces_and_several_kinds_say_which() {
        let alerts = Found {
            kind: Kind::named("alerts").unwrap(),
            objects: vec![object(json!({
                "metadata": { "name": "chat", "namespace": "apps" },
                "spec": { "providerRef": { "name": "slack" }, "eventSeverity": "error" },
            }))],
        };
        let look = Look {
            with_titles: true,
            with_namespace: true,
            with_kind: true,
            is_wide: true,
        };
        assert_eq!(
            written(Form::Wide, look, &[repositories(), alerts], false),
            "\
NAMESPACE   NAME                    REVISION             SUSPENDED   READY   MESSAGE                                             URL                           INTERVAL
apps        gitrepository/podinfo   main@sha1:0d7f3c5e   False       True    stored artifact for revision 'main@sha1:0d7f3c5e'   https://example.com/podinfo   1m0s
apps        gitrepository/new                            True        False   waiting to be reconciled                            https://example.com/new       5m

NAMESPACE   NAME         SUSPENDED   READY   MESSAGE          PROVIDER   SEVERITY
apps        alert/chat   False       True    Alert is Ready   slack      error
"
        );
    }

    #[test]
    fn names_and_data_can_be_piped() {
        let look = Look::default();
        assert_eq!(
            written(Form::Name, look, &[repositories()], false),
            "gitrepository.source.toolkit.fluxcd.io/podinfo\n\
             gitrepository.source.toolkit.fluxcd.io/new\n"
        );
        let list: Value =
            serde_json::from_str(&written(Form::Json, look, &[repositories()], false)).unwrap();
        assert_eq!(list["kind"], "List");
        assert_eq!(list["items"][1]["metadata"]["name"], "new");
        assert_eq!(
            list["items"][1]["apiVersion"],
            "source.toolkit.fluxcd.io/v1"
        );
        let mut one = repositories();
        one.objects.truncate(1);
        let yaml = written(Form::Yaml, look, &[one], true);
        let one: Value = serde_norway::from_str(&yaml).unwrap();
        assert_eq!(one["kind"], "GitRepository");
        assert_eq!(one["spec"]["url"], "https://example.com/podinfo");
    }
}
