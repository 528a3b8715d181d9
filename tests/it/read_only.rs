//! What only reads cannot write, by type. Each function below names the bound that its operation takes. If the operation
//! asked for ports that write, the function would not compile: ports that read have no method that writes, and nothing
//! makes one kind of the other.

use std::time::Duration;

use session_kms::intent::{Intent, KeyAccessQuestion, Safeguards};
use session_kms::key::{KeyDescription, KeyRef};
use session_kms::operations::{self, ChangeRequest, Proposal, Release};
use session_kms::ports::{Environment, PreflightPorts, ReadPorts};
use session_kms::preflight::{
    AccessQuestion, check_access, check_key, check_key_access, key_usability, observe_access,
};
use session_kms::reconcile::{EstablishRequest, ReleaseRequest, preview, preview_release};
use session_kms::session::DocumentName;

async fn status<P: ReadPorts>(environment: Environment<'_, P>, name: &DocumentName, release: &Release) {
    let _ = operations::status(environment, name).await;
    let _ = release.planned(environment).await;
}

async fn check<P: PreflightPorts>(environment: Environment<'_, P>, intent: &Intent, key: &KeyRef) {
    let _ = operations::check(environment, intent).await;
    let _ = operations::observe_key(environment, key, &intent.document, &intent.safeguards).await;
}

async fn plan<P: ReadPorts>(environment: Environment<'_, P>, wanted: &ChangeRequest) -> Option<Proposal> {
    let _ = wanted.preview(environment).await;
    wanted.propose(environment).await.ok()
}

async fn preflight<P: PreflightPorts>(
    environment: Environment<'_, P>,
    key: &KeyDescription,
    safeguards: &Safeguards,
    question: &KeyAccessQuestion,
) {
    let _ = check_key(environment, &question.key).await;
    let _ = key_usability(environment, key.arn.as_str()).await;
    let asked = AccessQuestion { key, document: &DocumentName::default(), safeguards };
    let _ = observe_access(environment, asked).await;
    let _ = check_access(environment, asked, Duration::ZERO).await;
    let _ = check_key_access(environment, question, Duration::ZERO).await;
}

async fn previews<P: ReadPorts>(
    environment: Environment<'_, P>,
    request: EstablishRequest<'_>,
    release: ReleaseRequest<'_>,
) {
    let _ = preview(environment, request).await;
    let _ = preview_release(environment, release).await;
}

/// The functions are never run: that they compile is the test.
#[test]
fn status_check_plan_and_the_preflight_take_ports_that_cannot_write() {
    type Ports = session_kms::aws::Aws;
    let _ = status::<Ports>;
    let _ = check::<Ports>;
    let _ = plan::<Ports>;
    let _ = preflight::<Ports>;
    let _ = previews::<Ports>;
}
