//! What the function logs, without the lines of the libraries: to write those too would take most of the time.

use std::sync::OnceLock;

use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Level};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::fixture::Lines;

/// Captures the lines of this thread at the levels that a release build has, while the value is alive.
pub struct Logs {
    lines: Lines,
    _guard: DefaultGuard,
}

impl Logs {
    pub fn captured() -> Self {
        // With one subscriber alone, tracing would remember for all threads whether the first thread listens.
        static SECOND: OnceLock<Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| Dispatch::new(tracing_subscriber::registry()));
        let lines = Lines::default();
        let writer = lines.clone();
        let targets = ["session_kms", "cloudformation_custom_resource"].map(|target| (target, Level::INFO));
        let subscriber = tracing_subscriber::registry()
            .with(
                tracing_subscriber::fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_writer(move || writer.clone()),
            )
            .with(Targets::new().with_targets(targets));
        Self { lines, _guard: tracing::subscriber::set_default(subscriber) }
    }

    pub fn text(&self) -> String {
        self.lines.text()
    }
}
