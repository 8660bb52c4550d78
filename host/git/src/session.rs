//! The few commands of the Git protocol that a reader needs: list references, fetch a pack.
//! Versions 2, 1 and 0, over smart HTTP.

use std::io::{self, BufRead};
use std::sync::Arc;

use gix_hash::ObjectId;
use gix_protocol::handshake::Ref;
use gix_protocol::ls_refs::RefPrefixes;
use gix_protocol::{Command, Handshake, LsRefsCommand};
use gix_transport::client::blocking_io::http::Transport;
use gix_transport::packetline::read::Error as ServerError;
use gix_transport::{Protocol, Service};
use gix_utils::progress::Discard;
use parking_lot::Mutex;
use weir_plugin::Reference;

use crate::config::GitConfig;
use crate::endpoint::Endpoint;
use crate::error::{Error, chain, one_line};
use crate::http::Clients;
use crate::operation::Operation;
use crate::transport::{Backend, Peer, Remembered};

/// How to reach a remote, for as many sessions as an operation needs.
#[derive(Clone)]
pub(crate) struct Dialer {
    pub(crate) operation: Arc<Operation>,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) clients: Arc<Clients>,
    pub(crate) remembered: Arc<Remembered>,
    pub(crate) config: Arc<GitConfig>,
}

/// What to ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct PackRequest {
    pub(crate) wants: Vec<ObjectId>,
    /// Commits whose trees are here completely, but not their history.
    pub(crate) haves: Vec<ObjectId>,
    /// Without the history of the wanted commits, if the server can.
    pub(crate) shallow: bool,
}

impl Dialer {
    /// Runs `ask` in a session. If what was remembered of the server misled it, once more in a
    /// fresh one.
    pub(crate) fn with_session<T>(
        &self,
        mut ask: impl FnMut(&mut Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut session = self.open()?;
        let error = match ask(&mut session) {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let asked_well = matches!(
            error,
            Error::Refused(_) | Error::Content(_) | Error::Damaged(_)
        );
        if !session.peer.was_remembered() || asked_well || self.operation.check().is_err() {
            return Err(error);
        }
        drop(session);
        self.remembered.forget();
        ask(&mut self.open()?)
    }

    fn open(&self) -> Result<Session, Error> {
        let peer = Peer::new(
            &self.operation,
            &self.endpoint,
            &self.clients,
            &self.remembered,
        );
        peer.limit(self.config.max_listing_bytes);
        // Only its tails matter, see `transport::tail`.
        let url = gix_url::parse(self.endpoint.base.as_str())
            .map_err(|error| Error::Url(chain(&error)))?;
        let mut transport =
            Transport::new_http(Backend(Arc::clone(&peer)), url, Protocol::V2, false);
        let handshake = gix_protocol::handshake(
            &mut transport,
            Service::UploadPack,
            // Credentials are the transport's.
            |_| Ok(None),
            Vec::new(),
            &mut Discard,
        )
        .map_err(|error| understand(&peer, &error))?;
        let session = Session {
            peer,
            transport,
            handshake,
            agent: self.config.user_agent.clone(),
        };
        let format = session.handshake.capabilities.capability("object-format");
        if let Some(format) = format.and_then(|capability| capability.value())
            && format != "sha1"
        {
            return Err(Error::Unsupported(format!(
                "the repository uses object format '{format}', only sha1 is supported"
            )));
        }
        Ok(session)
    }
}

/// An open conversation.
pub(crate) struct Session {
    peer: Arc<Peer>,
    transport: Transport<Backend>,
    handshake: Handshake,
    agent: String,
}

impl Session {
    /// References whose name starts with one of the prefixes; all when there are none.
    pub(crate) fn references(&mut self, prefixes: &[String]) -> Result<Vec<Reference>, Error> {
        self.peer.operation.phase("listing references");
        let listed = if let Some(refs) = self.handshake.refs.take() {
            refs
        } else {
            let mut wanted = RefPrefixes::new();
            wanted.extend(prefixes.iter().map(|prefix| prefix.as_str().into()));
            let agent = ("agent", Some(self.agent.clone()));
            LsRefsCommand::new(Some(wanted), &self.handshake.capabilities, agent)
                .invoke_blocking(&mut self.transport, &mut Discard, false)
                .map_err(|error| understand(&self.peer, &error))?
        };
        self.peer.drain();
        // Prefixes are a hint that servers may ignore.
        let is_wanted = |reference: &Reference| {
            prefixes.is_empty()
                || prefixes
                    .iter()
                    .any(|prefix| reference.name.starts_with(prefix))
        };
        Ok(listed
            .into_iter()
            .filter_map(reference)
            .filter(is_wanted)
            .collect())
    }

    /// Asks for a pack and hands it to `consume` as it arrives.
    pub(crate) fn fetch(
        &mut self,
        request: &PackRequest,
        config: &GitConfig,
        consume: impl FnOnce(&mut dyn BufRead) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let peer = Arc::clone(&self.peer);
        peer.operation.phase("asking for objects");
        peer.limit(config.max_fetch_bytes);
        let version = self.handshake.server_protocol_version;
        let capabilities = &self.handshake.capabilities;
        let mut features = Command::Fetch.default_features(version, capabilities);
        // Variants of the answer that are not needed here.
        features.retain(|(name, _)| {
            !matches!(
                *name,
                "sideband-all" | "packfile-uris" | "wait-for-done" | "no-done"
            )
        });
        let quiet = version == Protocol::V2 || capabilities.contains("no-progress");
        features.push(("agent", Some(self.agent.clone())));
        gix_protocol::fetch::Response::check_required_features(version, &features)
            .map_err(|error| Error::Unsupported(chain(&error)))?;

        let mut arguments = gix_protocol::fetch::Arguments::new(version, features, false);
        if quiet {
            arguments.add_feature("no-progress");
        }
        for id in &request.wants {
            arguments.want(id);
        }
        if request.shallow && arguments.can_use_shallow() {
            for id in &request.haves {
                arguments.shallow(id);
                arguments.have(id);
            }
            arguments.deepen(1);
        }
        // A file that is too large is known by its absence then, instead of by its download.
        if arguments.can_use_filter() && version == Protocol::V2 {
            arguments.filter(&format!(
                "blob:limit={}",
                config.max_file_bytes.saturating_add(1)
            ));
        }
        let mut reader = arguments
            .send(&mut self.transport, true)
            .map_err(|error| understand(&peer, &error.into()))?;
        let response =
            gix_protocol::fetch::Response::from_line_reader(version, &mut reader, true, false)
                .map_err(|error| understand(&peer, &error))?;
        if !response.has_pack() {
            return Err(Error::unavailable("the server sent no objects"));
        }
        peer.operation.phase("receiving objects");
        let remote_errors = Arc::new(Mutex::new(String::new()));
        reader.set_progress_handler(Some(Box::new({
            let remote_errors = Arc::clone(&remote_errors);
            let operation = Arc::clone(&peer.operation);
            move |is_error, text: &[u8]| {
                if is_error {
                    remote_errors
                        .lock()
                        .push_str(&String::from_utf8_lossy(text));
                }
                if operation.check().is_ok() {
                    std::ops::ControlFlow::Continue(())
                } else {
                    std::ops::ControlFlow::Break(())
                }
            }
        })));
        let consumed = consume(&mut reader).and_then(|()| {
            io::copy(&mut reader, &mut io::sink())
                .map(drop)
                .map_err(|error| Error::unavailable(one_line(&error.to_string())))
        });
        drop(reader);
        peer.drain();
        consumed.map_err(|error| {
            let said = std::mem::take(&mut *remote_errors.lock());
            match peer.failure() {
                Some(cause) => cause,
                None if !said.is_empty() => {
                    Error::unavailable(format!("the server gave up: {}", one_line(&said)))
                }
                None => error,
            }
        })
    }
}

fn reference(listed: Ref) -> Option<Reference> {
    let (name, tag, object) = match listed {
        Ref::Peeled {
            full_ref_name,
            tag,
            object,
        } => (full_ref_name, Some(tag), object),
        Ref::Direct {
            full_ref_name,
            object,
        } => (full_ref_name, None, object),
        Ref::Symbolic {
            full_ref_name,
            tag,
            object,
            ..
        } => (full_ref_name, tag, object),
        // A branch without a commit: an empty repository.
        Ref::Unborn { .. } => return None,
    };
    Some(Reference {
        // A name that is not text cannot be asked for by anybody.
        name: String::from_utf8(name.into()).ok()?,
        target: tag.unwrap_or(object).to_string(),
        peeled: tag.map(|_| object.to_string()),
    })
}

/// What gix's error means: our own failure below it, or what the server said.
fn understand(peer: &Peer, error: &gix_error::Error) -> Error {
    if let Some(cause) = peer.failure() {
        return cause;
    }
    if let Some(said) = error.downcast_any_ref::<ServerError>() {
        return Error::Refused(format!(
            "the server refused: {}",
            one_line(&said.to_string())
        ));
    }
    if peer.operation.check().is_err() {
        return Error::Interrupted;
    }
    Error::unavailable(format!(
        "the server's answer makes no sense: {}",
        chain(error)
    ))
}
