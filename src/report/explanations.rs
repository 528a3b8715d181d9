//! What each check asks, and what its answers mean: for `--explain`, and for the rules of the SARIF format.

use crate::preflight::Check;

/// All checks, in the order in which reports describe them.
pub const CHECKS: [Check; 8] = [
    Check::KeyFitness,
    Check::KeyPolicy,
    Check::Identities,
    Check::DryRun,
    Check::Nodes,
    Check::Users,
    Check::Network,
    Check::Document,
];

/// What a check asks, and what its answers mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The check's name as an identifier, `key-policy`.
    pub id: &'static str,
    /// The check's name as reports show it, `key policy`.
    pub name: &'static str,
    /// What the check asks.
    pub asks: &'static str,
    /// From where the answer comes, with the actions that the caller needs.
    pub reads: &'static str,
    /// What is a failure.
    pub failure: &'static str,
    /// When the answer is unknown.
    pub unknown: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// The section of the documentation that says more, as a path in the repository.
    pub link: &'static str,
}

impl Explanation {
    /// The explanation of a check.
    #[must_use]
    pub fn of(check: Check) -> Self {
        let name = super::words::check(check);
        match check {
            Check::KeyFitness => Self { name, ..KEY_FITNESS },
            Check::KeyPolicy => Self { name, ..KEY_POLICY },
            Check::Identities => Self { name, ..OWN_POLICIES },
            Check::DryRun => Self { name, ..DRY_RUN },
            Check::Nodes => Self { name, ..NODES },
            Check::Users => Self { name, ..USERS },
            Check::Network => Self { name, ..NETWORK },
            Check::Document => Self { name, ..DOCUMENT },
        }
    }

    /// The titles and texts of the explanation, in the order in which they are shown.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, &'static str); 6] {
        [
            ("What it asks", self.asks),
            ("What it reads", self.reads),
            ("What is a failure", self.failure),
            ("When it is unknown", self.unknown),
            ("What to do", self.remedy),
            ("More", self.link),
        ]
    }
}

const KEY_FITNESS: Explanation = Explanation {
    id: "key-fitness",
    name: "",
    asks: "Can the key encrypt sessions at all? It has to be enabled, symmetric (spec SYMMETRIC_DEFAULT, usage \
           ENCRYPT_DECRYPT), customer managed, and in the partition and the Region of the document.",
    reads: "The state and the properties of the key: kms:DescribeKey.",
    failure: "The key is disabled, is waiting for its deletion, has no key material, has another spec or usage, or is \
              managed by AWS, whose key policy admits calls through one service only. Such a key is never written to a \
              document, whatever the mode.",
    unknown: "A check of a key policy from a file asks nothing of AWS, and so it does not know the key. With AWS, a \
              change fails if the key cannot be described.",
    remedy: "Enable the key, cancel its deletion or import its material, as the finding says, or choose another key: \
             `session-kms keys` lists the keys that are fit. Key material that expires, a custom key store and a \
             multi-Region replica are warnings: nothing has to be done at once.",
    link: "docs/concepts.md#the-key",
};

const KEY_POLICY: Explanation = Explanation {
    id: "key-policy",
    name: "",
    asks: "Does the key admit the principal? A user needs kms:GenerateDataKey, a node kms:Decrypt, each with the \
           condition keys that the call of a session really has.",
    reads: "The key policy and the grants: kms:GetKeyPolicy and kms:ListGrants, for the key of another account by the \
            role of --reader-role, or the file of --policy or --key-policy. What conditions ask for is read only if a \
            policy asks for it.",
    failure: "No statement of the key policy and no grant admits the call, or a statement denies it. A Deny wins over \
              every Allow.",
    unknown: "The key policy or the grants could not be read, or a condition asks for something that is not known, \
              such as aws:SourceVpce. The finding names it.",
    remedy: "Add the statement that the report shows under \"What lets them in\", or except the principal from the \
             statement that denies the call. If a condition decides, state with --context KEY=VALUE what is true of \
             every call. If the principal is to be refused, name it with --exempt.",
    link: "docs/concepts.md#what-policies-ask-about-a-call",
};

const OWN_POLICIES: Explanation = Explanation {
    id: "own-policies",
    name: "",
    asks: "Do the principal's own policies allow the call on this key? These are its identity policies, its \
           permissions boundary, and the control policies of the organization. A principal of the key's own account \
           that the key policy names needs no policy of its own, as long as nothing denies the call.",
    reads: "IAM's simulator: iam:SimulatePrincipalPolicy, with --list-policies iam:GetAccountAuthorizationDetails; or \
            the files of --identity-policy.",
    failure: "No policy of the principal allows the call on the key, or one denies it.",
    unknown: "The principal belongs to another account, the simulator could not be asked, no policy of the principal \
              was given, or a condition asks for something that is not known.",
    remedy: "Attach the policy that the report shows to the role or user. For a role of IAM Identity Center, add it to \
             the permission set that the report names. If a service control policy refuses the simulator's call and \
             allows real ones, state with --context what it asks for.",
    link: "docs/concepts.md#iams-simulator-and-service-control-policies",
};

const DRY_RUN: Explanation = Explanation {
    id: "dry-run",
    name: "",
    asks: "Would kms:GenerateDataKey and kms:Decrypt succeed on this key for the function's own role? The function \
           makes both calls as dry runs. The answer holds for that role only. The command line never makes them.",
    reads: "Only a function that is deployed with DryRun=true makes the calls: kms:GenerateDataKey and kms:Decrypt, \
            each with the parameter DryRun.",
    failure: "KMS answers that a call would fail for a reason other than a missing permission, such as the state of \
              the key.",
    unknown: "KMS did not answer. A denial is a warning, because no session works by the function's role, and it \
              blocks in Strict.",
    remedy: "Correct what KMS names. To pass in Strict, add a statement to the key policy that admits the function's \
             role, or do without the dry run (DryRun=false).",
    link: "docs/concepts.md#verdicts",
};

const NODES: Explanation = Explanation {
    id: "nodes",
    name: "",
    asks: "Can the agent of every managed node encrypt sessions, and by which role does the node work? The role is \
           then a principal of the checks \"key policy\" and \"own policies\".",
    reads: "The managed nodes, the roles of their instance profiles and activations, and the setting of Default Host \
            Management: ssm:DescribeInstanceInformation, ssm:GetServiceSetting, ec2:DescribeInstances, \
            iam:GetInstanceProfile.",
    failure: "An agent is older than 2.3.539.0, the first version that encrypts sessions.",
    unknown: "The nodes could not be listed, or the version of an agent or the role of a node is not known. \
              --no-discover-nodes asks for no nodes.",
    remedy: "Update the agents with AWS-UpdateSSMAgent. Name roles that no node has now, such as those of an Auto \
             Scaling group without instances, with --node.",
    link: "docs/concepts.md#nodes",
};

const USERS: Explanation = Explanation {
    id: "users",
    name: "",
    asks: "Who started sessions in the last 30 days that the key of the document encrypts? Each of these roles and \
           users is then a principal of the checks \"key policy\" and \"own policies\".",
    reads: "The session history, and the role of just-in-time node access if there is one: ssm:DescribeSessions, \
            iam:GetRole, and ssm:DescribeDocument or ssm:GetDocument for sessions of other documents.",
    failure: "The check itself does not fail. A user who may not use the key fails \"key policy\" or \"own policies\".",
    unknown: "The history could not be read, the owner of a session cannot be named as a role or a user, or it is not \
              known whether the key encrypts the sessions of a document. --no-discover-users asks for no history.",
    remedy: "Allow the actions that the finding names, or name the principals who start sessions with --user.",
    link: "docs/concepts.md#users",
};

const NETWORK: Explanation = Explanation {
    id: "network",
    name: "",
    asks: "Can the EC2 nodes reach KMS from their subnets, and does the policy of a VPC endpoint for KMS allow their \
           call? A node that cannot reach KMS fails every session once a key is on.",
    reads: "The endpoints, routes, addresses and security groups of the VPCs: ec2:DescribeVpcEndpoints, \
            ec2:DescribeRouteTables, ec2:DescribeSubnets, ec2:DescribeNatGateways, ec2:DescribeSecurityGroups, \
            ec2:DescribeInstances.",
    failure: "A VPC has an endpoint for ssmmessages, and neither an endpoint for KMS nor a route to the internet; or \
              the policy of its endpoint for KMS does not allow kms:Decrypt on the key to the nodes' roles.",
    unknown: "The way leads where the check cannot look, such as a transit gateway, a firewall or a private NAT \
              gateway, or the VPC could not be read. Network ACLs, proxies and DNS servers of your own are not looked \
              at.",
    remedy: "Add the endpoint or the statement that the report shows. If the result is unknown, try on one node \
             whether it reaches KMS before you switch a key on.",
    link: "docs/concepts.md#whether-nodes-reach-kms",
};

const DOCUMENT: Explanation = Explanation {
    id: "document",
    name: "",
    asks: "Can the preferences document be changed, and do its default and its latest version agree?",
    reads: "The document and its record: ssm:GetDocument, ssm:DescribeDocument, ssm:GetParameter.",
    failure: "The document has another owner, has a content that cannot be edited safely (another schema version or \
              session type, a setting that is named twice, a key that is a parameter), or does not exist. It stays as \
              it is, whatever the mode.",
    unknown: "This check is never unknown: if the document cannot be read, the command fails.",
    remedy: "Correct the document by hand as the finding says. Take it over from another owner with --take-over, or \
             create a document that does not exist with --create-document. Different versions are a warning: the next \
             change makes them agree.",
    link: "docs/troubleshooting.md#the-document-and-its-owner",
};

#[cfg(test)]
#[path = "explanations/tests.rs"]
mod tests;
