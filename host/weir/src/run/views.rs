//! What the host watches, and what each change sets going.

use std::sync::Arc;

use kube::Client;
use kube::api::Api;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use weir_api::kustomize::v1::Kustomization;
use weir_api::notification::v1beta3::{Alert, Provider};
use weir_api::source::v1::GitRepository;
use weir_api::weir::v1alpha1::Plugin;

use crate::reconcile::objects::Objects;
use crate::reconcile::plugin::Plugins;
use crate::reconcile::triggers;

use super::Parts;

/// The watched kinds.
#[derive(Default, Clone)]
pub(super) struct Views {
    pub(super) git_repositories: Arc<Objects<GitRepository>>,
    pub(super) kustomizations: Arc<Objects<Kustomization>>,
    pub(super) providers: Arc<Objects<Provider>>,
    pub(super) alerts: Arc<Objects<Alert>>,
    pub(super) plugins: Arc<Objects<Plugin>>,
}

impl Views {
    /// Waits until each kind was listed once.
    pub(super) async fn synced(&self) {
        self.git_repositories.synced().await;
        self.kustomizations.synced().await;
        self.providers.synced().await;
        self.alerts.synced().await;
        self.plugins.synced().await;
    }
}

impl Parts {
    pub(super) fn register_triggers(&self) {
        let (views, queues) = (&self.views, &self.queues);
        triggers::on_edit(&views.git_repositories, &queues.git_repositories);
        triggers::on_edit(&views.kustomizations, &queues.kustomizations);
        triggers::on_edit(&views.plugins, &queues.plugins);
        triggers::on_revision(
            &views.git_repositories,
            &views.kustomizations,
            &queues.kustomizations,
        );
        triggers::on_progress(&views.kustomizations, &queues.kustomizations);
        Plugins::release_on_delete(&views.plugins, &self.catalog, &self.grants);
    }

    /// Starts what follows the cluster.
    pub(super) fn watch(&self, tasks: &mut JoinSet<()>, stop: &CancellationToken) {
        let watch = &self.config.watch;
        let namespace = watch.namespace.as_deref();
        let selector = watch.label_selector.as_deref();
        let client = || self.client.clone();
        let views = &self.views;
        tasks.spawn(Arc::clone(&views.git_repositories).watch(
            api(client(), namespace),
            selector.map(Into::into),
            stop.clone(),
        ));
        tasks.spawn(Arc::clone(&views.kustomizations).watch(
            api(client(), namespace),
            selector.map(Into::into),
            stop.clone(),
        ));
        tasks.spawn(Arc::clone(&views.providers).watch(
            api(client(), namespace),
            None,
            stop.clone(),
        ));
        tasks.spawn(Arc::clone(&views.alerts).watch(api(client(), namespace), None, stop.clone()));
        tasks.spawn(Arc::clone(&views.plugins).watch(Api::all(client()), None, stop.clone()));
        tasks.spawn(triggers::on_plugin_change(
            Arc::clone(&self.catalog),
            Arc::clone(&views.git_repositories),
            Arc::clone(&views.kustomizations),
            self.queues.clone(),
        ));
    }
}

/// All namespaces, or one.
fn api<K>(client: Client, namespace: Option<&str>) -> Api<K>
where
    K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
    K::DynamicType: Default,
{
    match namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    }
}
