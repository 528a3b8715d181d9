//! The client on the wire, against servers on the loopback interface.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::test_certificates::Authority;

/// Tells the test below that it runs in a process of its own, and what to ask.
const URL: &str = "AWS_HTTPS_TEST_URL";

/// A server for `localhost` that answers one request on each connection, and how many handshakes it has completed.
async fn serve(authority: &Authority) -> (u16, Arc<AtomicU32>) {
    let issued = authority.issue("localhost");
    let settings = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.certificate], issued.key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(settings));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let handshakes = Arc::new(AtomicU32::new(0));
    let shared = Arc::clone(&handshakes);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            shared.fetch_add(1, Ordering::SeqCst);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.unwrap_or(0) > 0 {}
            let _ = stream.write_all(b"HTTP/1.1 204 x\r\nconnection: close\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    });
    (port, handshakes)
}

/// Asks once, over a connection that is opened ahead.
async fn ask(url: &str) -> Result<u16, String> {
    let connector = HttpsClient::without_proxy(Trust::of_environment()).connection_per_request();
    connector.open_ahead(url);
    tokio::time::sleep(Duration::from_millis(100)).await;
    connector.open_ahead(url);
    let answer = connector.call(HttpRequest::get(url).unwrap()).await;
    answer.map(|answer| answer.status().as_u16()).map_err(|error| format!("{error:?}"))
}

#[tokio::test]
async fn an_unknown_issuer_is_refused_unless_the_environment_names_it() {
    if let Ok(url) = env::var(URL) {
        writeln!(io::stdout(), "answer: {:?}", ask(&url).await).unwrap();
        return;
    }
    let authority = Authority::new();
    let (port, handshakes) = serve(&authority).await;
    let bundle = env::temp_dir().join(format!("aws-https-{}.pem", std::process::id()));
    fs::write(&bundle, pem(&authority.certificate)).unwrap();
    let answer = async |bundle| {
        let mut test = Command::new(env::current_exe().unwrap());
        test.args([
            "--exact",
            "tests::an_unknown_issuer_is_refused_unless_the_environment_names_it",
            "--nocapture",
        ])
        .env(URL, format!("https://localhost:{port}/"))
        .env_remove("SSL_CERT_DIR")
        .env_remove("SSL_CERT_FILE");
        if let Some(bundle) = bundle {
            test.env("SSL_CERT_FILE", bundle);
        }
        let output = tokio::task::spawn_blocking(move || test.output().unwrap()).await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let refused = answer(None).await;
    assert!(refused.contains("answer: Err") && refused.contains("UnknownIssuer"), "{refused}");
    assert_eq!(handshakes.load(Ordering::SeqCst), 0);
    let accepted = answer(Some(&bundle)).await;
    fs::remove_file(&bundle).unwrap();
    assert!(accepted.contains("answer: Ok(204)"), "{accepted}");
    assert_eq!(handshakes.load(Ordering::SeqCst), 1, "not the connection that was opened ahead");
}

#[tokio::test]
async fn a_connection_that_nobody_accepts_ends_with_its_time() {
    // The listener's queue is full after a few connections that it never accepts, so a further one gets no answer.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let dialer =
        dialer::Dialer::new(Trust::System, hyper_util::client::proxy::matcher::Matcher::builder().build());
    let url: http::Uri = format!("http://{address}").parse().unwrap();
    let (begin, limit) = (Instant::now(), Duration::from_millis(200));
    let mut kept = Vec::new();
    let error = loop {
        match dialer.dial(url.clone(), Some(limit)).await {
            Ok(connection) => kept.push(connection),
            Err(error) => break error,
        }
    };
    assert!(error.is::<dialer::ConnectTimeout>(), "{error:?}");
    assert!(begin.elapsed() < Duration::from_secs(5));
}

fn pem(certificate: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for (count, bytes) in certificate.chunks(3).enumerate() {
        let group =
            bytes.iter().chain([&0, &0]).take(3).fold(0, |group, byte| group << 8 | usize::from(*byte));
        for digit in 0..4 {
            let is_padding = digit > bytes.len();
            text.push(if is_padding { '=' } else { DIGITS[group >> (18 - 6 * digit) & 63].into() });
        }
        if count % 16 == 15 {
            text.push('\n');
        }
    }
    text + "\n-----END CERTIFICATE-----\n"
}
