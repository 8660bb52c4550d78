//! Coalescing, and what dependencies do to it, as the real helm does it.

use std::rc::Rc;

use weir_yaml::json;

use super::*;
use crate::dependencies;
use crate::fs::MemoryFs;
use crate::loader::{load, map_of};
use crate::plain::plain_map;
use crate::tree::ChartTree;
use crate::warnings::Warnings;

fn map(text: &str) -> Rc<Map> {
    match weir_yaml::from_yaml(text).unwrap() {
        weir_yaml::Value::Object(object) => map_of(&object),
        _ => empty_map(),
    }
}

fn show(map: &Map) -> String {
    let text = json::to_string(&weir_yaml::Value::Object(plain_map(map))).unwrap();
    text.replace('"', "")
}

/// The values of a chart that is given by its files, once its dependencies are processed.
fn coalesced(files: &[(&str, &str)], given: &str) -> String {
    let mut tree = MemoryFs::new();
    for (name, text) in files {
        tree.insert(format!("web/{name}"), *text);
    }
    let chart = Rc::new(load(&tree, "web", "web").unwrap());
    let warnings = Warnings::default();
    let mut tree = ChartTree::new(&chart);
    let given = map(given);
    let result = dependencies::process(&mut tree, &given, &warnings)
        .and_then(|()| coalesce_values(&tree, ChartTree::ROOT, &given, Mode::Coalesce, &warnings));
    match result {
        Ok(values) => show(&values),
        Err(err) => format!("error: {err}"),
    }
}

const WEB: (&str, &str) = ("Chart.yaml", "{apiVersion: v2, name: web, version: 1.0.0}");
const DB: (&str, &str) = (
    "charts/db/Chart.yaml",
    "{apiVersion: v2, name: db, version: 1.0.0}",
);

#[test]
fn given_values_outweigh_those_of_the_chart() {
    let rows = [
        ("a: 1", "", "{a:1}"),
        ("a: 1", "a: 2", "{a:2}"),
        ("a: 1\nb: 2", "a: null", "{b:2}"),
        ("b: 2", "a: null", "{a:null,b:2}"),
        ("a: {b: 1, c: 2}", "a: {b: null}", "{a:{c:2}}"),
        ("a: {b: 1}", "a: {c: 2}", "{a:{b:1,c:2}}"),
        ("a: {b: 1}", "a: x", "{a:x}"),
        ("a: x", "a: {b: 1}", "{a:{b:1}}"),
        ("a: [1, 2]", "a: [3]", "{a:[3]}"),
        ("a: null", "", "{a:null}"),
        ("a: {b: null}", "a: {b: null}", "{a:{}}"),
    ];
    for (own, given, expected) in rows {
        let values = coalesced(&[WEB, ("values.yaml", own)], given);
        assert_eq!(values, expected, "{own:?} {given:?}");
    }
}

#[test]
fn subcharts_get_their_part_and_the_globals() {
    let rows = [
        ("", "a: 1", "", "{db:{a:1,global:{}}}"),
        ("db: {a: 2}", "a: 1", "", "{db:{a:2,global:{}}}"),
        ("db: {a: 2}", "a: 1", "db: {a: null}", "{db:{global:{}}}"),
        (
            "",
            "a: {b: 1, c: 2}",
            "db: {a: {b: null}}",
            "{db:{a:{c:2},global:{}}}",
        ),
        (
            "global: {x: 1}",
            "global: {x: 2, z: 3}",
            "",
            "{db:{global:{x:1,z:3}},global:{x:1}}",
        ),
        (
            // Tables in tables of the globals are shared: the subchart's shows up above it.
            "global: {t: {u: {v: 1}}}",
            "global: {t: {u: {w: 2}}}",
            "",
            "{db:{global:{t:{u:{v:1,w:2}}}},global:{t:{u:{v:1,w:2}}}}",
        ),
        ("db: x", "", "", "error: type mismatch on db: %!t(string=x)"),
        (
            "db: [true, null]",
            "",
            "",
            "error: type mismatch on db: [true <nil>]",
        ),
    ];
    for (own, inner, given, expected) in rows {
        let files = [
            WEB,
            ("values.yaml", own),
            DB,
            ("charts/db/values.yaml", inner),
        ];
        assert_eq!(
            coalesced(&files, given),
            expected,
            "{own:?} {inner:?} {given:?}"
        );
    }
}

#[test]
fn dependencies_are_switched_and_renamed() {
    let rows = [
        ("{name: db, version: '*'}", "", "{db:{a:1,global:{}}}"),
        (
            "{name: db, version: '*', alias: store}",
            "",
            "{store:{a:1,global:{}}}",
        ),
        // Without a version nothing fits, and the chart stays under its own name.
        ("{name: db, alias: store}", "", "{db:{a:1,global:{}}}"),
        (
            "{name: db, version: '2.x', alias: store}",
            "",
            "{db:{a:1,global:{}}}",
        ),
        (
            "{name: db, version: '*', condition: db.enabled}",
            "db: {enabled: false}",
            "{db:{enabled:false}}",
        ),
        (
            "{name: db, version: '*', condition: 'x,db.enabled'}",
            "db: {enabled: false}",
            "{db:{enabled:false}}",
        ),
        (
            "{name: db, version: '*', tags: [t]}",
            "tags: {t: false}",
            "{tags:{t:false}}",
        ),
        (
            "{name: db, version: '*', tags: [t, u]}",
            "tags: {t: false, u: true}",
            "{db:{a:1,global:{}},tags:{t:false,u:true}}",
        ),
        (
            "{name: db, version: '*', tags: [t], condition: q}",
            "{tags: {t: false}, q: true}",
            "{db:{a:1,global:{}},q:true,tags:{t:false}}",
        ),
    ];
    for (dependency, given, expected) in rows {
        let chart =
            format!("{{apiVersion: v2, name: web, version: 1.0.0, dependencies: [{dependency}]}}");
        let files = [
            ("Chart.yaml", chart.as_str()),
            DB,
            ("charts/db/values.yaml", "a: 1"),
        ];
        assert_eq!(coalesced(&files, given), expected, "{dependency} {given:?}");
    }
}

#[test]
fn parents_import_values() {
    let inner = "exports: {data: {x: 1}}\nt: {u: {v: 2}}";
    let rows = [
        ("[data]", "", "{x:1}"),
        ("[nope]", "", "{}"),
        ("[{child: t, parent: .}]", "", "{u:{v:2}}"),
        ("[{child: t.u, parent: a.b}]", "", "{a:{b:{v:2}}}"),
        (
            "[{child: t.u, parent: a.b}]",
            "a: {b: {v: 3, w: 4}}",
            "{a:{b:{v:3,w:4}}}",
        ),
        ("[data]", "x: null", "{}"),
    ];
    for (imports, given, expected) in rows {
        let chart = format!(
            "{{apiVersion: v2, name: web, version: 1.0.0, dependencies: [{{name: db, version: \
             '*', import-values: {imports}}}]}}"
        );
        let files = [
            ("Chart.yaml", chart.as_str()),
            DB,
            ("charts/db/values.yaml", inner),
        ];
        let values = coalesced(&files, given);
        let values = without(&values, "db:{exports:{data:{x:1}},global:{},t:{u:{v:2}}}");
        assert_eq!(values, expected, "{imports} {given:?}");
    }
}

/// Takes a part out, with one comma beside it.
fn without(text: &str, part: &str) -> String {
    let text = text.replace(&format!("{part},"), "");
    text.replace(&format!(",{part}"), "").replace(part, "")
}
