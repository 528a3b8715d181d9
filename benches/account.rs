//! A stub of AWS with an account of a given size, for the benchmark of `local/bench/scale.py`, which runs the function on
//! it. It reads requests from standard input, one JSON object a line, and answers each with a line:
//!
//! - a [`Size`] starts a new stub and ends the one before; the answer has its `endpoint` and the ARN of the `key`;
//! - `{"take": true}` asks for the number of `calls` since the last time.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at what it does not expect, and its answers are on standard output"
)]

#[expect(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the stub of the tests, of which this uses a part"
)]
#[path = "../tests/it"]
mod it {
    pub mod stub;
}

// The stub checks answers by it.
#[expect(
    dead_code,
    unreachable_pub,
    clippy::panic,
    reason = "the checks of the tests, of which the stub uses a part"
)]
#[path = "../tests/it/schemas.rs"]
mod schemas;

#[path = "support/key_policy.rs"]
mod key_policy;

use std::io::{BufRead as _, stdin};
use std::net::SocketAddr;
use std::time::Duration;

use it::stub;
use key_policy::{arn, key_policy};
use serde::Deserialize;
use serde_json::{Value, json};
use stub::{ACCOUNT, Document, Format, Location, REGION, SimulatedAnswer, Stub, World};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// The preferences document.
const NAME: &str = "SSM-SessionManagerRunShell";
const KEY_ID: &str = "33333333-3333-4333-8333-333333333333";
/// A version of the agent that is new enough for encrypted sessions.
const AGENT: &str = "3.3.808.0";
/// Later than any history that the function asks for.
const STARTED: f64 = 4_000_000_000.0;

/// How large an account is, and how long a call takes. All nodes are EC2 instances.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Size {
    nodes: usize,
    /// The roles of nodes, each with an instance profile.
    roles: usize,
    /// VPCs, each with an endpoint for KMS.
    vpcs: usize,
    /// The roles that have started sessions.
    users: usize,
    sessions: usize,
    policy_bytes: usize,
    milliseconds: u64,
}

impl Size {
    fn build(&self, world: &mut World) -> String {
        let content =
            json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {"kmsKeyId": ""}});
        world.put_document(NAME, Document::session(Format::Json, &content.to_string()));
        let key = world.add_key_at(&Location::new(ACCOUNT, REGION), KEY_ID);
        world.key(&key).policy = key_policy(self.policy_bytes);
        for vpc in 0..self.vpcs {
            world.add_subnet(&format!("subnet-{vpc}"), &format!("vpc-{vpc}"));
            world.add_endpoint(&format!("vpce-{vpc}"), &format!("subnet-{vpc}"), "kms");
        }
        let mut principals = Vec::new();
        for number in 0..self.roles {
            let role = world.add_role(&format!("nodes/Web-{number}"));
            world.add_instance_profile(&format!("nodes/Profile-{number}"), Some(&role));
            principals.push(role);
        }
        for number in 0..self.nodes {
            let id = format!("i-{number:017x}");
            world.add_node(&id, AGENT);
            world.associate(&id, &arn(&format!("instance-profile/nodes/Profile-{}", number % self.roles)));
            world.add_instance(&id, &format!("subnet-{}", number % self.vpcs));
        }
        principals.extend((0..self.users).map(|number| world.add_role(&format!("sso/Ops-{number}"))));
        for number in 0..self.sessions {
            let role = number % self.users;
            let owner = format!("arn:aws:sts::{ACCOUNT}:assumed-role/Ops-{role}/jane-{number}");
            world.add_session(&format!("s-{number}"), &owner, STARTED);
        }
        for principal in &principals {
            world.simulates(principal, "*", "*", SimulatedAnswer::allowed("Kms"));
        }
        key
    }
}

/// Starts a server that passes everything on, requests after a latency. Returns its endpoint. It ends with the process.
fn delayed(endpoint: &str, latency: Duration) -> String {
    let upstream: SocketAddr = endpoint.trim_start_matches("http://").parse().unwrap();
    let (bound, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            bound.send(listener.local_addr().unwrap()).unwrap();
            loop {
                let (Ok((near, _)), Ok(far)) = (listener.accept().await, TcpStream::connect(upstream).await)
                else {
                    continue;
                };
                near.set_nodelay(true).unwrap();
                far.set_nodelay(true).unwrap();
                let (near_read, mut near_write) = near.into_split();
                let (mut far_read, far_write) = far.into_split();
                // An error is a connection that one side has closed.
                tokio::spawn(async move { copy(&mut far_read, &mut near_write).await.is_ok() });
                tokio::spawn(copy_late(near_read, far_write, latency));
            }
        });
    });
    format!("http://{}", address.recv().unwrap())
}

/// Copies everything, each piece a latency after it has arrived.
async fn copy_late(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, latency: Duration) {
    let (sender, mut pieces) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let read = async move {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let piece = buffer.get(..length).unwrap_or_default().to_vec();
            if sender.send((Instant::now() + latency, piece)).is_err() {
                break;
            }
        }
    };
    let write = async move {
        while let Some((due, piece)) = pieces.recv().await {
            sleep_until(due).await;
            if to.write_all(&piece).await.is_err() {
                break;
            }
        }
    };
    tokio::join!(read, write);
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut running: Option<Stub> = None;
    for line in stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if request.get("take").is_some() {
            let stub = running.as_ref().unwrap();
            println!("{}", json!({"calls": stub.calls().len(), "violations": stub.violations()}));
            stub.forget_calls();
            continue;
        }
        let size: Size = serde_json::from_value(request).unwrap();
        let stub = runtime.block_on(Stub::start());
        let key = stub.world(|world| size.build(world));
        let endpoint = match size.milliseconds {
            0 => stub.endpoint(),
            milliseconds => delayed(&stub.endpoint(), Duration::from_millis(milliseconds)),
        };
        running = Some(stub);
        println!("{}", json!({"endpoint": endpoint, "key": key}));
    }
}
