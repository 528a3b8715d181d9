//! The receiver as an HTTP/1.1 server on the loopback interface.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use super::receiver::{HttpRequest, PutFault, Reaction, ResponseReceiver};
use crate::ids::Ids;
use crate::testing::ReceivedResponse;

/// A [`ResponseReceiver`] that listens on a free port of 127.0.0.1. It ends when it is dropped.
#[derive(Debug)]
pub struct LocalReceiver {
    endpoint: String,
    receiver: Arc<Mutex<ResponseReceiver>>,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
    accepting: AbortHandle,
}

impl LocalReceiver {
    /// Starts to listen, on the tokio runtime of the caller.
    ///
    /// # Errors
    /// If no port can be opened.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let receiver = Arc::new(Mutex::new(ResponseReceiver::default()));
        let connections = Arc::new(Mutex::new(Vec::new()));
        let (shared, accepted) = (Arc::clone(&receiver), Arc::clone(&connections));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection = tokio::spawn(answer(stream, Arc::clone(&shared)));
                locked(&accepted).push(connection.abort_handle());
            }
        });
        Ok(Self { endpoint, receiver, connections, accepting: accepting.abort_handle() })
    }

    /// Scheme, host and port: the endpoint to which a `Provider` may send.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A new response URL for the request with these ids. See [`ResponseReceiver::expect`].
    pub fn response_url(&self, ids: &Ids, query: Option<&str>) -> String {
        locked(&self.receiver).expect(&self.endpoint, ids, query)
    }

    /// What the next PUTs to the URL meet, one fault for each PUT, in this order.
    pub fn put_faults(&self, url: &str, faults: &[PutFault]) {
        locked(&self.receiver).put_faults(url, faults);
    }

    /// The number of PUTs to the URL, accepted or not.
    pub fn puts(&self, url: &str) -> usize {
        locked(&self.receiver).puts(url)
    }

    /// The number of connections that were ever opened, with a request or without.
    pub fn connections(&self) -> usize {
        locked(&self.connections).len()
    }

    /// Closes every connection, as S3 closes one on which no request comes.
    pub fn close_connections(&self) {
        locked(&self.connections).iter().for_each(AbortHandle::abort);
    }

    /// The valid responses to the URL.
    pub fn responses(&self, url: &str) -> Vec<ReceivedResponse> {
        locked(&self.receiver).responses(url)
    }

    /// Everything that S3 or CloudFormation would not have accepted.
    pub fn violations(&self) -> Vec<String> {
        locked(&self.receiver).violations().to_vec()
    }
}

impl Drop for LocalReceiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers the one request of a connection.
async fn answer(mut stream: TcpStream, receiver: Arc<Mutex<ResponseReceiver>>) -> io::Result<()> {
    let request = read_request(&mut stream).await?;
    let reaction = locked(&receiver).receive(&request);
    match reaction {
        Reaction::Cut => Ok(()),
        // Nothing releases it: the sender waits until it gives up.
        Reaction::Hold => std::future::pending().await,
        Reaction::Respond { status, body } => {
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body.as_bytes()).await
        }
    }
}

/// Reads a request whose body has a `Content-Length`. A request without one has no body.
async fn read_request(stream: &mut TcpStream) -> io::Result<HttpRequest> {
    let mut bytes = Vec::new();
    loop {
        if let Some(request) = HttpRequest::parse(&bytes) {
            return Ok(request);
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
