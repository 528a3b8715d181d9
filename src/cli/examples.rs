//! The examples that stand below the options in the help of each command. A test gives each of them to the parser.

pub(super) const PROGRAM: &str = "\
Examples:
  session-kms status --region eu-west-1
  session-kms check --key alias/sessions
  session-kms plan --key alias/sessions --format markdown --output plan.md
  session-kms --explain key-policy

Exit codes: 0 good; 1 a finding fails, or you declined a question and nothing was changed; 2 bad input; 3 no credentials, or
AWS refused or did not answer.
Credentials and the Region come from where the AWS CLI takes them.";

pub(super) const STATUS: &str = "\
Examples:
  session-kms status
  session-kms status --region eu-west-1 --region eu-central-1 --format json
  session-kms status --document Team-Shell --profile prod";

pub(super) const KEYS: &str = "\
Examples:
  session-kms keys
  session-kms keys --region eu-west-1 --region us-east-1
  session-kms keys --format json --output keys.json";

pub(super) const PLAN: &str = "\
Examples:
  session-kms plan --key alias/sessions
  session-kms plan --key 1234abcd-12ab-34cd-56ef-1234567890ab --region eu-west-1 --preflight strict
  session-kms plan --key arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab --key-policy key.json
  session-kms plan --key alias/sessions --format sarif --output plan.sarif";

pub(super) const APPLY: &str = "\
Examples:
  session-kms apply --key alias/sessions
  session-kms apply --key alias/sessions --exempt '*:role/Legacy*' --yes
  session-kms apply --key alias/sessions --document Team-Shell --create-document --yes";

pub(super) const CLEAR: &str = "\
Examples:
  session-kms clear
  session-kms clear --region eu-west-1 --yes";

pub(super) const RELEASE: &str = "\
Examples:
  session-kms release
  session-kms release --on-delete retain --yes";

pub(super) const CHECK: &str = "\
Examples:
  session-kms check --key alias/sessions
  session-kms check --key alias/sessions --user arn:aws:iam::111122223333:role/Ops --context aws:SourceVpce=vpce-0a1b2c3d
  session-kms check --key alias/sessions --output report.html
  session-kms check --key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab --policy key.json --node arn:aws:iam::111122223333:role/Node
  session-kms check --template key.yaml --logical-id SessionKey --account-id 111122223333 --region eu-west-1 --node arn:aws:iam::111122223333:role/Node
  session-kms check --plan plan.json --address aws_kms_key.session --account-id 111122223333 --node arn:aws:iam::111122223333:role/Node --format sarif
  session-kms check --explain network";

pub(super) const COMPLETIONS: &str = "\
Examples:
  session-kms completions bash > ~/.local/share/bash-completion/completions/session-kms
  session-kms completions zsh > ~/.zfunc/_session-kms
  session-kms completions fish > ~/.config/fish/completions/session-kms.fish

For zsh, ~/.zfunc has to stand in fpath before compinit runs.";

pub(super) const MAN: &str = "\
Examples:
  session-kms man > session-kms.1
  session-kms man ~/.local/share/man/man1";

#[cfg(test)]
#[path = "examples/tests.rs"]
mod tests;
