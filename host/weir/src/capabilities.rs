//! What the cluster is and serves, for renderers that ask. Answers cost no request: they are
//! looked up at the start and again in the background once they are old and somebody asks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::{Client, Discovery};
use parking_lot::Mutex;

/// How old an answer may be before asking it starts a new look-up.
const FRESH: Duration = Duration::from_mins(1);
/// Time that a look-up may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// See the module.
pub struct Capabilities {
    client: Client,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    version: String,
    apis: Arc<BTreeSet<String>>,
    looked_up: Option<Instant>,
}

impl Capabilities {
    /// Looks up once; what the server does not tell stays empty.
    pub async fn look_up(client: Client) -> Arc<Self> {
        let own = Arc::new(Self {
            client,
            known: Mutex::default(),
        });
        own.refresh().await;
        own
    }

    /// `v1.35.4`.
    pub fn kube_version(&self) -> String {
        self.known.lock().version.clone()
    }

    /// `apps/v1` and `apps/v1/Deployment` of everything that is served.
    pub fn apis(self: &Arc<Self>) -> Arc<BTreeSet<String>> {
        let mut known = self.known.lock();
        if known.looked_up.is_none_or(|at| at.elapsed() > FRESH) {
            known.looked_up = Some(Instant::now());
            let own = Arc::clone(self);
            tokio::spawn(async move { own.refresh().await });
        }
        Arc::clone(&known.apis)
    }

    async fn refresh(&self) {
        let look_up = async {
            let version = self.client.apiserver_version().await?;
            let discovery = Discovery::new(self.client.clone()).run_aggregated().await?;
            Ok::<_, kube::Error>((version.git_version, discovery))
        };
        match tokio::time::timeout(TIMEOUT, look_up).await {
            Ok(Ok((version, discovery))) => {
                let mut apis = BTreeSet::new();
                for group in discovery.groups() {
                    for version in group.versions() {
                        for (resource, _) in group.versioned_resources(version) {
                            apis.insert(resource.api_version.clone());
                            apis.insert(format!("{}/{}", resource.api_version, resource.kind));
                        }
                    }
                }
                let mut known = self.known.lock();
                known.version = version;
                known.apis = Arc::new(apis);
                known.looked_up = Some(Instant::now());
            }
            Ok(Err(error)) => {
                let error = crate::telemetry::chain(&error).to_string();
                tracing::warn!(error, "failed to look up what the cluster serves");
            }
            Err(_) => tracing::warn!("the API server did not say in time what it serves"),
        }
    }
}
