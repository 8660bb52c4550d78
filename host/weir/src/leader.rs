//! Leader election: of several hosts one works, the others stand by and take over when it ends.
//!
//! A Lease in the host's namespace, by the rules of client-go
//! (kubernetes/client-go tools/leaderelection/leaderelection.go): who finds it free or not renewed
//! for its duration takes it, with the resource version that was read, so that one of two wins.
//! How long it was not renewed is measured by the own clock from when the last change was seen:
//! the clocks of the hosts need not agree. A leader that cannot renew stops before the lease runs
//! out, so two never write at once.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, ResourceExt as _};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::telemetry::chain;

/// Name of the Lease.
const LEASE: &str = "weir-leader-election";
/// What giving the Lease back may take at the end.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// How leadership is held; Flux's `--leader-election-*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long others wait for a leader that does not renew.
    pub lease: Duration,
    /// How long a leader tries to renew before it stops.
    pub renew_deadline: Duration,
    /// Time between attempts.
    pub retry: Duration,
    /// Gives the Lease back on shutdown, so that another takes over at once.
    pub release_on_cancel: bool,
}

/// Takes part in the election.
pub struct Candidate {
    api: Api<Lease>,
    identity: String,
    terms: Terms,
    /// The last state of the Lease and when it was first seen.
    seen: Option<(String, Instant)>,
}

/// Held until dropped or [`lost`](Leadership::lost).
pub struct Leadership {
    lost: CancellationToken,
    stop: CancellationToken,
    renewing: Option<JoinHandle<()>>,
}

impl Candidate {
    /// A candidate; the identity is the machine's name with a random part, as client-go's users
    /// make it.
    pub fn new(client: Client, namespace: &str, terms: Terms) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            identity: format!("{}_{}", crate::cluster::host_name(), uuid::Uuid::new_v4()),
            terms,
            seen: None,
        }
    }

    /// Waits until this host leads.
    pub async fn lead(mut self) -> Leadership {
        let mut is_told = false;
        loop {
            match self.attempt().await {
                Ok(None) => break,
                Ok(Some(leader)) if !is_told => {
                    tracing::info!(leader, "another host leads; standing by");
                    is_told = true;
                }
                Ok(Some(_)) => {}
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "the election cannot be held; trying again");
                }
            }
            sleep(super::reconcile::queue::jitter(self.terms.retry, 20)).await;
        }
        tracing::info!(identity = self.identity, "leading");
        let (lost, stop) = (CancellationToken::new(), CancellationToken::new());
        let renewing = tokio::spawn(self.renew(lost.clone(), stop.clone()));
        Leadership {
            lost,
            stop,
            renewing: Some(renewing),
        }
    }

    /// Renews until `stop`, then gives the Lease back; `lost` when it was not renewed in time.
    async fn renew(mut self, lost: CancellationToken, stop: CancellationToken) {
        let mut renewed = Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep(self.terms.retry) => {}
            }
            let left = self.terms.renew_deadline.saturating_sub(renewed.elapsed());
            match timeout(left, self.attempt()).await {
                Ok(Ok(None)) => renewed = Instant::now(),
                Ok(Ok(Some(leader))) => {
                    tracing::error!(leader, "another host leads now");
                    lost.cancel();
                    return;
                }
                Ok(Err(error)) if renewed.elapsed() < self.terms.renew_deadline => {
                    tracing::warn!(error = %chain(&error), "the lease was not renewed; trying again");
                }
                Ok(Err(_)) | Err(_) => {
                    tracing::error!("the lease was not renewed in time");
                    lost.cancel();
                    return;
                }
            }
        }
        if self.terms.release_on_cancel {
            let _ = timeout(RELEASE_TIMEOUT, self.release()).await;
        }
    }

    /// Takes or renews the Lease; `None`: it is ours, else who has it.
    async fn attempt(&mut self) -> Result<Option<String>, kube::Error> {
        let Some(lease) = self.api.get_opt(LEASE).await? else {
            let metadata = ObjectMeta {
                name: Some(LEASE.into()),
                ..ObjectMeta::default()
            };
            let spec = Some(self.taken(&LeaseSpec::default(), 0));
            let lease = Lease { metadata, spec };
            let created = self.api.create(&PostParams::default(), &lease).await;
            return outcome(created);
        };
        let version = lease.resource_version().unwrap_or_default();
        if self
            .seen
            .as_ref()
            .is_none_or(|(known, _)| *known != version)
        {
            self.seen = Some((version, Instant::now()));
        }
        let spec = lease.spec.clone().unwrap_or_default();
        let holder = spec.holder_identity.clone().unwrap_or_default();
        let is_ours = holder == self.identity;
        if !is_ours && !holder.is_empty() && !self.has_expired(&spec) {
            return Ok(Some(holder));
        }
        let changed = if is_ours {
            LeaseSpec {
                renew_time: Some(MicroTime(Timestamp::now())),
                ..spec
            }
        } else {
            self.taken(&spec, spec.lease_transitions.unwrap_or(0) + 1)
        };
        let lease = Lease {
            spec: Some(changed),
            ..lease
        };
        // Refused if somebody has written it since it was read.
        outcome(
            self.api
                .replace(LEASE, &PostParams::default(), &lease)
                .await,
        )
    }

    fn has_expired(&self, spec: &LeaseSpec) -> bool {
        let seconds = spec.lease_duration_seconds.unwrap_or(0);
        let duration = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        self.seen
            .as_ref()
            .is_some_and(|(_, since)| since.elapsed() >= duration)
    }

    /// The Lease as a new leader writes it.
    fn taken(&self, old: &LeaseSpec, transitions: i32) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            // Whole seconds, and never less than what was asked for.
            lease_duration_seconds: i32::try_from(self.terms.lease.as_millis().div_ceil(1000)).ok(),
            acquire_time: Some(now.clone()),
            renew_time: Some(now),
            lease_transitions: Some(transitions),
            ..old.clone()
        }
    }

    async fn release(&self) -> Result<(), kube::Error> {
        let Some(mut lease) = self.api.get_opt(LEASE).await? else {
            return Ok(());
        };
        let Some(spec) = lease
            .spec
            .as_mut()
            .filter(|spec| spec.holder_identity.as_ref() == Some(&self.identity))
        else {
            return Ok(());
        };
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = Some(1);
        self.api
            .replace(LEASE, &PostParams::default(), &lease)
            .await?;
        Ok(())
    }
}

/// A conflict means that another candidate was faster.
fn outcome(written: Result<Lease, kube::Error>) -> Result<Option<String>, kube::Error> {
    match written {
        Ok(_) => Ok(None),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(Some("another".into())),
        Err(error) => Err(error),
    }
}

impl Leadership {
    /// For a host that is alone by its configuration: never lost.
    pub fn alone() -> Self {
        Self {
            lost: CancellationToken::new(),
            stop: CancellationToken::new(),
            renewing: None,
        }
    }

    /// Waits until another host may lead. What is not written by then must not be written.
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Ends it, for the next leader to start at once.
    pub async fn end(self) {
        self.stop.cancel();
        if let Some(renewing) = self.renewing {
            let _ = renewing.await;
        }
    }
}
