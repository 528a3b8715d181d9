//! A connection, whatever it leads through: plain or TLS, direct or through a proxy.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection as HyperConnection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What bytes can be read from and written to.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection to a host, or to the proxy that forwards requests to it.
pub(crate) struct Connection {
    stream: TokioIo<Box<dyn Stream>>,
    peer: Peer,
}

/// Who reads the requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Host,
    /// A proxy that reads the requests themselves, which is so only without TLS.
    ForwardingProxy,
}

impl Connection {
    pub(crate) fn new(stream: Box<dyn Stream>, peer: Peer) -> Self {
        Self { stream: TokioIo::new(stream), peer }
    }

    /// Whether the peer has neither closed the connection nor sent anything before a request.
    pub(crate) fn is_idle(&mut self) -> bool {
        let (mut byte, mut context) = ([0], Context::from_waker(Waker::noop()));
        let stream = Pin::new(self.stream.inner_mut());
        stream.poll_read(&mut context, &mut ReadBuf::new(&mut byte)).is_pending()
    }
}

impl HyperConnection for Connection {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.peer == Peer::ForwardingProxy)
    }
}

impl Read for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }
}
