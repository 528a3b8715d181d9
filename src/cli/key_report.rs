//! `key-report`: a key seen from its own account. Whom it admits for sessions, which accounts of an audit use it, and which
//! of them it refuses.

use clap::Args;

use super::Connection;
use super::audit::read_audit;
use super::connection::CommandPorts;
use super::error::CliError;
use super::options::{self, KeyOption};
use crate::access::KnownContext;
use crate::key::KeyRef;
use crate::operations::{self, KeyQuestion};
use crate::ports::Environment;
use crate::report::Report;

/// What stands below the options of `key-report --help`.
pub(super) const HELP: &str = "\
Run it in the key's account, before a key is rotated, replaced, disabled or handed over. It reads the key's policy and
grants (kms:DescribeKey, kms:GetKeyPolicy, kms:ListGrants) and changes nothing.

Each caller has a verdict for kms:GenerateDataKey, which users need, and for kms:Decrypt, which nodes need:
  admitted             the key alone is enough
  own policies decide  the caller's own policies have to allow the call too
  depends              conditions decide, which are shown
  not admitted         nothing of the key admits the call
  denied               a statement of the key policy denies it

Examples:
  session-kms key-report --key alias/sessions
  session-kms key-report --key alias/sessions --audit audit.jsonl --output key.html

Exit codes: 0 good; 1 an account of the audit uses the key, and the key refuses somebody there; 2 bad input; 3 AWS refused
or did not answer.";

/// The options of `key-report`.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct KeyReportOptions {
    #[command(flatten)]
    key: KeyOption,
    /// The Region of a key that is named by its id or alias, instead of the environment's.
    #[arg(long, value_parser = options::region)]
    region: Option<String>,
    /// An audit, to see which accounts use the key and whom it refuses there: a file or folder that `audit` or the state
    /// machine wrote, or `s3://BUCKET/FOLDER/`.
    #[arg(long, value_name = "FILE|DIR|s3://…")]
    audit: Option<String>,
    /// A condition key that is known of every call; may be repeated. The same key given several times is a list, as
    /// KEY=["a","b"] is, and KEY=null says that no call has the key.
    #[arg(long = "context", value_name = "KEY=VALUE", value_parser = options::key_and_value)]
    context: Vec<(String, String)>,
}

pub(super) async fn run<P: CommandPorts>(
    options: &KeyReportOptions,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    let context: KnownContext = options::known_context(&options.context)?;
    let key = &options.key.key;
    let of_key = match key {
        KeyRef::Arn(arn) => Some(arn.location().region.as_str()),
        KeyRef::AliasArn { location, .. } => Some(location.region.as_str()),
        KeyRef::Id(_) | KeyRef::Alias(_) => None,
    };
    let region = options.region.as_deref().or(of_key);
    let audit = match &options.audit {
        Some(source) => Some((source.as_str(), read_audit(source, connect).await?)),
        None => None,
    };
    let Connection { ports, location } = connect(region).await?;
    let audit = audit.as_ref().map(|(source, audit)| (*source, audit));
    let question = KeyQuestion { key, context: &context, audit };
    Ok(Box::pin(operations::key_report(Environment::new(&ports, &location), question)).await?)
}
