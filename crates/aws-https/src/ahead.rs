//! One connection that is opened before the request that needs it.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use http::Uri;
use http::uri::{Authority, Scheme};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, yield_now};

use crate::connection::Connection;
use crate::dialer::Dialer;

/// The place of the connection. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Ahead(Arc<Mutex<Option<Opened>>>);

struct Opened {
    origin: Origin,
    state: State,
}

type Origin = (Option<Scheme>, Option<Authority>);

enum State {
    Opening(JoinHandle<Result<Connection, BoxError>>),
    Open(Box<Connection>),
    Failed,
}

impl Ahead {
    /// Begins to open a connection to the host of a URL, unless one is being opened, or is open and idle.
    pub(crate) fn open(&self, dialer: &Dialer, url: &Uri, within: Duration) {
        let Ok(runtime) = Handle::try_current() else { return };
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = origin(url);
        if let Some(opened) = place.as_mut() {
            if opened.origin == origin && opened.state.is_usable() {
                return;
            }
            opened.state.give_up();
        }
        let (dialer, url) = (dialer.clone(), url.clone());
        let opening = runtime.spawn(async move { dialer.dial(url, Some(within)).await });
        *place = Some(Opened { origin, state: State::Opening(opening) });
    }

    /// The connection to the host of a URL, if it was opened ahead and the host has not closed it since.
    pub(crate) async fn take(&self, url: &Uri) -> Option<Connection> {
        let opened = {
            let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            place.take_if(|opened| opened.origin == origin(url))?
        };
        let mut connection = match opened.state {
            State::Opening(opening) => opening.await.ok()?.ok()?,
            State::Open(connection) => *connection,
            State::Failed => return None,
        };
        // The runtime learns here that the host has closed the connection in the meantime.
        yield_now().await;
        connection.is_idle().then_some(connection)
    }
}

impl State {
    fn is_usable(&mut self) -> bool {
        self.settle();
        match self {
            Self::Opening(_) => true,
            Self::Open(connection) => connection.is_idle(),
            Self::Failed => false,
        }
    }

    fn settle(&mut self) {
        if let Self::Opening(opening) = self
            && let Poll::Ready(result) = Pin::new(opening).poll(&mut Context::from_waker(Waker::noop()))
        {
            *self = match result {
                Ok(Ok(connection)) => Self::Open(Box::new(connection)),
                Ok(Err(_)) | Err(_) => Self::Failed,
            };
        }
    }

    fn give_up(&self) {
        if let Self::Opening(opening) = self {
            opening.abort();
        }
    }
}

fn origin(url: &Uri) -> Origin {
    (url.scheme().cloned(), url.authority().cloned())
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ahead")
    }
}
