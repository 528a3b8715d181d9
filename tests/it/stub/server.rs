//! The HTTP server: one thread, one port; requests go to the AWS services or to the receiver of answers.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use cloudformation_custom_resource::testing::{HttpRequest, Reaction, ResponseReceiver};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming as Body;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::call::{Call, Outcome, Refusal};
use super::control::Shared;
use super::fault::{Fault, Passage, Stop};
use super::services::SERVICES;
use super::wire::{Incoming, Reply, understand};

/// The running server. Dropping it closes the port and every connection.
pub struct Server {
    pub address: SocketAddr,
    end: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

/// The connection is closed instead of an answer.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut off by a fault")
    }
}

impl std::error::Error for Cut {}

impl Server {
    pub async fn start(shared: Arc<Shared>) -> Self {
        let (end, ended) = oneshot::channel();
        let (bound, address) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                bound.send(listener.local_addr().expect("an address")).expect("someone who waits for it");
                tokio::select! {
                    () = serve(listener, shared) => {}
                    _ = ended => {}
                }
            });
        });
        let address = address.await.expect("the server started");
        Self { address, end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&shared), request));
            // An error is a connection that a fault cut or that the caller dropped. Both are intended.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(shared: Arc<Shared>, request: Request<Body>) -> Result<Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let incoming = Incoming {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: headers.collect(),
        body: body.collect().await.map_err(|_| Cut)?.to_bytes(),
    };
    let reply = if incoming.target.starts_with(ResponseReceiver::PATH) {
        answer_put(&shared, &incoming).await
    } else {
        answer_aws(&shared, &incoming).await
    }?;
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::from(reply.body)).expect("a valid response"))
}

/// A PUT to a ResponseURL.
async fn answer_put(shared: &Shared, incoming: &Incoming) -> Result<Reply, Cut> {
    let request = HttpRequest {
        method: incoming.method.clone(),
        target: incoming.target.clone(),
        headers: incoming.headers.clone(),
        body: incoming.body.to_vec(),
    };
    let reaction = shared.receiver().receive(&request);
    shared.changed();
    match reaction {
        Reaction::Cut => Err(Cut),
        Reaction::Respond { status, body } => {
            let xml = || ("content-type", "application/xml".to_owned());
            let headers = (!body.is_empty()).then(xml).into_iter().collect();
            Ok(Reply { status, headers, body })
        }
        Reaction::Hold => {
            shared.wait(|shared| shared.receiver().is_released(&request.target).then_some(())).await;
            shared.receiver().acknowledge(&request.target);
            Ok(Reply { status: 200, headers: Vec::new(), body: String::new() })
        }
    }
}

/// Handles an AWS call: it enters the journal, passes the gate, meets the faults, and reaches the service.
async fn answer_aws(shared: &Shared, incoming: &Incoming) -> Result<Reply, Cut> {
    let understood = understand(&shared.world(), incoming);
    let (call, service) = match understood {
        Ok(understood) => understood,
        Err(refusal) => return Ok(misunderstood(shared, incoming, refusal)),
    };
    let (id, passage, faults) = {
        let mut control = shared.control();
        (control.arrived(&call), control.gate.pass(), control.plan.strike(&call))
    };
    shared.changed();
    let stopped = match passage {
        Passage::Pass => false,
        Passage::Held => pending().await,
        Passage::StopHere(Stop::Before) => match hold(shared).await {},
        Passage::StopHere(Stop::After) => true,
    };
    let fault = faults.iter().find(|fault| !matches!(fault, Fault::Before(_) | Fault::After(_)));
    let outcome = match fault {
        Some(Fault::Hang | Fault::CutBefore) => None,
        _ => Some(execute(shared, &call, fault.and_then(|fault| fault.refusal(&call, service)), &faults)),
    };
    let heard = !stopped && !matches!(fault, Some(Fault::CutAfter | Fault::HangAfter));
    if let Some(outcome) = &outcome {
        shared.control().answered(id, outcome, heard);
    }
    if stopped {
        match hold(shared).await {}
    }
    shared.hold_answer().await;
    match (outcome, fault) {
        (_, Some(Fault::Hang | Fault::HangAfter)) => {
            shared.control().hung += 1;
            shared.changed();
            pending().await
        }
        (Some(outcome), _) if heard => {
            let mut reply = (service.wire.write)(service, &call.operation, &request_id(id), &outcome);
            match fault {
                Some(Fault::Garbage) => reply.body = "<html>not what was asked for".to_owned(),
                Some(Fault::HalfAnswer) => {
                    reply.body.truncate(reply.body.floor_char_boundary(reply.body.len() / 2));
                }
                _ => {}
            }
            Ok(reply)
        }
        _ => Err(Cut),
    }
}

/// Runs the hooks, and the call unless it is refused.
fn execute(shared: &Shared, call: &Call, refusal: Option<Refusal>, faults: &[Fault]) -> Outcome {
    let mut world = shared.world();
    for fault in faults {
        if let Fault::Before(hook) = fault {
            hook(&mut world);
        }
    }
    if let Some(refusal) = refusal {
        return Err(refusal);
    }
    let outcome = world.call(call);
    for fault in faults {
        if let Fault::After(hook) = fault {
            hook(&mut world);
        }
    }
    outcome
}

/// Tells the test that the stopped call was reached, and never answers the call.
async fn hold(shared: &Shared) -> Infallible {
    shared.control().gate.arrive();
    shared.changed();
    pending().await
}

/// The answer to a request that is no AWS call. The request is a violation, because no SDK would send it.
fn misunderstood(shared: &Shared, incoming: &Incoming, refusal: Refusal) -> Reply {
    let mut control = shared.control();
    let path = incoming.target.split('?').next().unwrap_or_default();
    control.misunderstood.push(format!("{} {path}: {}", incoming.method, refusal.message));
    let service = &SERVICES[0];
    (service.wire.write)(service, "", &request_id(0), &Err(refusal))
}

fn request_id(id: usize) -> String {
    format!("00000000-0000-4000-8000-{id:012}")
}
