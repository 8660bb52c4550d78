//! Reads of the cluster: what is granted, asked for, handed over, and kept out of the cache.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use weir_plugin::{Call, ClusterReader, Failure, FailureClass, Grants, KindRef, Limits, Services};

use crate::support::{Asked, ask, call, load, target};

/// A cluster of ConfigMaps that are what they are asked for by, and what was asked of it.
#[derive(Default)]
struct Echo {
    asked: Mutex<Vec<String>>,
}

impl Echo {
    fn note(&self, asked: String) -> String {
        self.asked.lock().unwrap().push(asked.clone());
        asked
    }
}

#[async_trait]
impl ClusterReader for Echo {
    async fn get(
        &self,
        kind: &KindRef,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<String>, Failure> {
        let asked = self.note(format!("{kind} {namespace:?} {name}"));
        match name {
            "gone" => Ok(None),
            "large" => Ok(Some("x".repeat(9 << 20))),
            "forbidden" => Err(Failure::new(FailureClass::Denied, "Forbidden", "no")),
            _ => Ok(Some(asked)),
        }
    }

    async fn list(
        &self,
        kind: &KindRef,
        namespace: Option<&str>,
        selector: Option<&str>,
        most: u64,
    ) -> Result<Vec<String>, Failure> {
        let asked = self.note(format!("{kind} {namespace:?} {selector:?}"));
        Ok(vec![asked, most.to_string()])
    }
}

/// Asks with a cluster and these grants.
async fn asked(questions: &str, granted: &[&str], limits: Limits) -> (Asked, Vec<String>) {
    let cluster = Arc::new(Echo::default());
    let call = Call {
        grants: Arc::new(Grants {
            cluster: granted.iter().map(|it| (*it).to_owned()).collect(),
            ..Grants::default()
        }),
        services: Services {
            cluster: Some(cluster.clone()),
            ..Services::none()
        },
        limits,
        ..call("", &[])
    };
    let asked = ask(&load("ask").await, questions, &call, &target()).await;
    let seen = cluster.asked.lock().unwrap().clone();
    (asked, seen)
}

#[tokio::test]
async fn only_granted_kinds_are_read() {
    let questions = r#"[["get","v1","ConfigMap","a","apps"],["get","v1","ConfigMap","gone","apps"],
        ["get","v1","ConfigMap","forbidden"],["list","v1","ConfigMap","apps","a=b"],
        ["get","v1","Secret","a","apps"],["list","v1","Secret","apps",""]]"#;
    let (asked, seen) = asked(questions, &["v1/ConfigMap"], Limits::default()).await;
    assert_eq!(
        asked.answers,
        [
            r#"Some("v1/ConfigMap Some(\"apps\") a")"#,
            "None",
            "FailureClass::Denied Forbidden",
            r#"["v1/ConfigMap Some(\"apps\") Some(\"a=b\")", "268435456"]"#,
            "FailureClass::Denied NotGranted",
            "FailureClass::Denied NotGranted",
        ]
    );
    assert_eq!(seen.len(), 4);
}

#[tokio::test]
async fn only_looking_keeps_a_result_out_of_the_cache() {
    let questions = r#"[["get","v1","ConfigMap","a","apps"]]"#;
    let (looked, _) = asked(questions, &["*"], Limits::default()).await;
    assert!(looked.called.trace.impurity.cluster);

    let (refused, seen) = asked(questions, &[], Limits::default()).await;
    assert_eq!(refused.answers, ["FailureClass::Denied NotGranted"]);
    let trace = &refused.called.trace;
    assert!(seen.is_empty() && trace.impurity.is_pure());
    // What is granted later is an answer that has changed.
    let mut call = refused.call.clone();
    assert!(trace.holds(&call, &target()));
    call.grants = Arc::new(Grants {
        cluster: vec!["v1/ConfigMap".into()],
        ..Grants::default()
    });
    assert!(!trace.holds(&call, &target()));
}

#[tokio::test]
async fn without_a_cluster_nothing_is_read() {
    let questions = r#"[["get","v1","ConfigMap","a"],["list","v1","ConfigMap","a",""]]"#;
    let plugin = load("ask").await;
    let asked = ask(&plugin, questions, &call("", &[]), &target()).await;
    assert_eq!(asked.answers, ["FailureClass::Unsupported Unsupported"; 2]);
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_not_asked_for() {
    let questions = r#"[["get","v1","ConfigMap","../secrets/a","apps"],
        ["get","v1","ConfigMap","a","../kube-system"],["get","v1","ConfigMap","a?watch=1","apps"],
        ["get","v1/../../apis","ConfigMap","a"],["get","v1","ConfigMap/status","a"],
        ["list","v1","ConfigMap","a/b",""]]"#;
    let (asked, seen) = asked(questions, &["*"], Limits::default()).await;
    assert_eq!(asked.answers[..5], ["None"; 5]);
    assert_eq!(asked.answers[5], "[]");
    assert!(seen.is_empty(), "{seen:?}");
}

#[tokio::test]
async fn only_what_fits_is_handed_over() {
    let limits = Limits {
        memory: 8 << 20,
        ..Limits::default()
    };
    let questions = r#"[["get","v1","ConfigMap","large"],["list","v1","ConfigMap","a",""]]"#;
    let (asked, _) = asked(questions, &["*"], limits).await;
    assert_eq!(asked.answers[0], "FailureClass::Denied TooLarge");
    assert!(asked.answers[1].ends_with("\"8388608\"]"));
}
