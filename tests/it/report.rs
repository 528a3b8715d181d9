//! The formats of the report on what no check prints: changes, lists, and names that somebody chose to do harm.

use serde_json::{Value, json};
use session_kms::access::{CallerKind, PrincipalArn};
use session_kms::intent::PreflightMode;
use session_kms::preflight::{
    Assessment, Check, Finding, IdentityRemedy, PrincipalAccess, Remedies, ResourceRemedy, Verdict,
};
use session_kms::report::{
    AccountAdmission, AccountUse, CallAdmission, CallerAdmission, Change, KeyAssessment, KeyCallers, KeyList,
    KeyUse, ListedCaller, ListedKey, ListedRule, Matrix, NamedAs, PolicySource, RefusedPrincipal,
    RegionStatus, Report, ReportFormat, ReportHeader, ReportOrigin, SourcePlace, VersionSummary,
};

use crate::golden;

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
/// Mark-up, a fence, a mention, a control sequence and a change of direction: a Sid or a message may hold them.
const HARM: &str = "</pre><script>alert(1)</script>\n```\n| @ops #1 [x](y) \u{1b}[2J\u{202e}";

fn everything() -> Report {
    let principal = PrincipalArn::parse("arn:aws:iam::111122223333:role/App").unwrap();
    let finding = |check, verdict, evidence: &str| Finding {
        remedy: Some(format!("mend {HARM}")),
        ..Finding::new(check, verdict, KEY, evidence)
    };
    let assessment = Assessment {
        unread: Vec::new(),
        findings: vec![
            finding(Check::KeyFitness, Verdict::Warning, "its key material expires"),
            finding(Check::Nodes, Verdict::Fail, HARM),
            finding(Check::Users, Verdict::Unknown, "`half a quote"),
        ],
        access: vec![PrincipalAccess {
            principal: principal.clone(),
            side: CallerKind::User,
            verdict: Verdict::Fail,
            is_admitted: false,
            source: "property Users".to_owned(),
            exempt: false,
            key_side: format!("statement 1 `{HARM}` of the key policy denies it"),
            own_side: "statement 0 of its policy 0 allows it".to_owned(),
            key_policy_statements: vec![1],
            is_refused: false,
        }],
        remedies: Remedies {
            key_policy_statements: vec![json!({ "Sid": HARM, "Effect": "Allow" })],
            identity_policies: vec![
                IdentityRemedy {
                    principals: vec![principal.clone()],
                    policy: json!({ "Statement": [] }),
                    permission_set: None,
                    instead: None,
                },
                IdentityRemedy {
                    principals: vec![principal],
                    policy: json!({ "Statement": [{ "Sid": HARM }] }),
                    permission_set: Some(HARM.to_owned()),
                    instead: Some(json!({ "Sid": HARM, "Principal": { "AWS": "*" } })),
                },
            ],
            resources: vec![
                ResourceRemedy {
                    resource: format!("vpc-1 {HARM}"),
                    title: format!("Add a VPC endpoint {HARM}"),
                    command: None,
                    snippet: json!({ "KmsEndpoint": { "Type": "AWS::EC2::VPCEndpoint", "Metadata": HARM } }),
                },
                ResourceRemedy {
                    resource: KEY.to_owned(),
                    title: "Tag the key".to_owned(),
                    command: Some(format!("aws kms tag-resource --tags '{HARM}'")),
                    snippet: json!({ "Tags": [{ "Key": HARM, "Value": "true" }] }),
                },
            ],
        },
    };
    let key_policy = Some(json!({ "Statement": [{ "Sid": "Other" }, { "Sid": HARM, "Effect": "Deny" }] }));
    Report {
        header: ReportHeader {
            command: "plan".to_owned(),
            account: Some("111122223333".to_owned()),
            regions: vec!["eu-west-1".to_owned(), "eu-central-1".to_owned()],
            document: Some("SSM-SessionManagerRunShell".to_owned()),
            key: Some(KEY.to_owned()),
            origin: Some(ReportOrigin {
                generated_at: "2026-03-01T12:00:00Z".to_owned(),
                version: "0.1.0".to_owned(),
                caller: Some(format!("arn:aws:sts::111122223333:assumed-role/{HARM}")),
                command_line: format!("session-kms plan --exempt '{HARM}'"),
            }),
        },
        key_assessment: Some(KeyAssessment { mode: PreflightMode::Enforce, assessment, key_policy }),
        change: Some(Change {
            document: "SSM-SessionManagerRunShell".to_owned(),
            done: false,
            before: Some(VersionSummary { latest: 3, default: 2, kms_key_id: format!("alias/{HARM}") }),
            after: Some(VersionSummary { latest: 4, default: 4, kms_key_id: KEY.to_owned() }),
            steps: vec!["write the record".to_owned(), "write version 4 of the document".to_owned()],
        }),
        status: vec![
            RegionStatus {
                region: "eu-west-1".to_owned(),
                document: "SSM-SessionManagerRunShell".to_owned(),
                versions: Some(VersionSummary { latest: 3, default: 2, kms_key_id: KEY.to_owned() }),
                default_kms_key_id: Some(String::new()),
                owner: Some(HARM.to_owned()),
                wanted: Some(KEY.to_owned()),
                sessions_fail: true,
                problems: vec![format!("not as wanted: {HARM}")],
                unknown: vec![format!("not known: {HARM}")],
            },
            RegionStatus {
                region: "eu-central-1".to_owned(),
                document: "SSM-SessionManagerRunShell".to_owned(),
                versions: None,
                default_kms_key_id: None,
                owner: None,
                wanted: None,
                sessions_fail: false,
                problems: Vec::new(),
                unknown: Vec::new(),
            },
        ],
        keys: vec![KeyList {
            region: "eu-west-1".to_owned(),
            keys: vec![
                ListedKey {
                    arn: KEY.to_owned(),
                    aliases: vec!["alias/session".to_owned(), format!("alias/{HARM}")],
                    faults: Vec::new(),
                    cautions: vec!["it is a multi-Region replica".to_owned()],
                },
                ListedKey {
                    arn: KEY.replace("1234", "9876"),
                    aliases: Vec::new(),
                    faults: vec!["its state is Disabled".to_owned()],
                    cautions: Vec::new(),
                },
            ],
        }],
        key_callers: Some(key_callers()),
        policy_source: Some(PolicySource {
            file: "policies/key policy.json".to_owned(),
            policy: SourcePlace { line: 1, column: 1, end_line: 30 },
            statements: vec![
                SourcePlace { line: 3, column: 5, end_line: 9 },
                SourcePlace { line: 10, column: 5, end_line: 20 },
            ],
        }),
        notes: vec![format!("note {HARM}")],
    }
}

/// Whom a key admits, with names and conditions that somebody chose to do harm.
fn key_callers() -> KeyCallers {
    let cell = |admission, depends_on: Option<&str>| CallerAdmission {
        admission,
        by: vec![format!("statement 0 `{HARM}` of the key policy")],
        key_policy_statements: vec![0],
        depends_on: depends_on.map(str::to_owned),
    };
    let refused =
        RefusedPrincipal { principal: format!("arn:{HARM}"), side: CallerKind::Node, why: HARM.to_owned() };
    KeyCallers {
        callers: vec![
            ListedCaller {
                caller: format!("everyone in organization {HARM}"),
                named_as: NamedAs::Organization,
                user: cell(CallAdmission::Denied, None),
                node: cell(CallAdmission::Depends, Some(HARM)),
            },
            ListedCaller {
                caller: "account 111122223333".to_owned(),
                named_as: NamedAs::Account,
                user: cell(CallAdmission::OwnPoliciesDecide, None),
                node: cell(CallAdmission::OwnPoliciesDecide, None),
            },
        ],
        rules: vec![ListedRule {
            name: format!("statement 0 `{HARM}` of the key policy"),
            key_policy_statement: Some(0),
            denies: true,
            callers: vec![HARM.to_owned()],
            is_all_but: true,
            user: None,
            node: Some(format!("depends on {HARM}")),
            conditions: Some(json!({ "StringEquals": { HARM: HARM } })),
        }],
        key_use: Some(KeyUse {
            audit: HARM.to_owned(),
            places: 3,
            unreadable: 1,
            accounts: vec![AccountUse {
                account: "111122223333".to_owned(),
                name: Some(HARM.to_owned()),
                regions: vec!["eu-west-1".to_owned()],
                users: AccountAdmission::ByNameOnly,
                nodes: AccountAdmission::Refused,
                refused: vec![refused],
            }],
        }),
        consequences: vec![format!("it breaks {HARM}")],
    }
}

#[test]
fn every_part_in_every_format() {
    let report = everything();
    for (format, name) in [
        (ReportFormat::Text { colour: false }, "everything.txt"),
        (ReportFormat::Text { colour: true }, "everything.colour.txt"),
        (ReportFormat::Json, "everything.json"),
        (ReportFormat::Markdown, "everything.md"),
        (ReportFormat::Html, "everything.html"),
        (ReportFormat::Sarif, "everything.sarif"),
    ] {
        golden::check(name, &report.render(format));
    }
}

#[test]
fn an_empty_report_can_be_rendered() {
    for format in [
        ReportFormat::Text { colour: true },
        ReportFormat::Json,
        ReportFormat::Markdown,
        ReportFormat::Html,
        ReportFormat::Sarif,
    ] {
        assert!(Report::default().render(format).ends_with('\n'));
    }
    assert!(!Report::default().fails());
}

#[test]
fn text_moves_no_cursor_and_has_colour_only_if_asked() {
    let plain = everything().render(ReportFormat::Text { colour: false });
    assert!(plain.chars().all(|c| c == '\n' || !c.is_control()), "{plain:?}");
    let coloured = everything().render(ReportFormat::Text { colour: true });
    assert!(!coloured.contains("\u{1b}[2J") && coloured.contains("\u{1b}[31m"));
    let unpainted = ["0", "1", "2", "31", "32", "33", "35", "36"]
        .iter()
        .fold(coloured, |text, colour| text.replace(&format!("\u{1b}[{colour}m"), ""));
    assert_eq!(unpainted, plain, "colour changes nothing else");
}

#[test]
fn html_has_no_foreign_mark_up_and_loads_nothing() {
    let page = everything().render(ReportFormat::Html);
    assert_eq!(page.matches("<script>").count(), 1);
    for word in ["src=", "@import", "url(", "http://", "https://", "onclick", "style="] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn markdown_has_no_foreign_mark_up() {
    let text = everything().render(ReportFormat::Markdown);
    // The text between fences is code, and nothing in it ends the fence.
    let (mut fence, mut outside) = (None, String::new());
    for line in text.lines() {
        let ticks = line.chars().take_while(|c| *c == '`').count();
        match fence {
            None if ticks >= 3 => fence = Some(ticks),
            None => outside.push_str(line),
            Some(open) if ticks >= open && line.len() == ticks => fence = None,
            Some(_) => {}
        }
    }
    assert_eq!(fence, None, "each fence is closed");
    // The text in this element is code too. GitHub looks for no names in it.
    let mut words = String::new();
    for part in outside.split("<code>") {
        words.push_str(part.split_once("</code>").map_or(part, |(_, behind)| behind));
    }
    for harm in ["<script>", "@ops", "#1 ", "[x](y)"] {
        assert!(!words.contains(harm), "{harm}");
    }
    for harm in ["<script>", "[x](y)"] {
        assert!(!outside.contains(harm), "{harm}");
    }
}

#[test]
fn sarif_messages_hold_no_link_and_no_control_character() {
    let log: Value = serde_json::from_str(&everything().render(ReportFormat::Sarif)).unwrap();
    let run = &log["runs"][0];
    let of = |list: &Value| list.as_array().unwrap().clone();
    let messages = [of(&run["results"]), of(&run["invocations"][0]["toolExecutionNotifications"])].concat();
    assert!(messages.len() > 3);
    for message in messages {
        let text = message["message"]["text"].as_str().unwrap();
        assert!(
            !text.contains("[x](y)") && !text.contains(|c: char| c.is_control() || c == '\u{202e}'),
            "{text}"
        );
        assert!(!text.contains("alert") || text.contains("\\[x\\](y)"), "{text}");
    }
}

#[test]
fn json_has_the_remedies_unescaped() {
    let value: Value = serde_json::from_str(&everything().render(ReportFormat::Json)).unwrap();
    assert_eq!(value["remedies"]["keyPolicyStatements"][0]["Sid"], HARM);
    let of_permission_set = &value["remedies"]["identityPolicies"][1];
    assert_eq!(
        (&of_permission_set["permissionSet"], &of_permission_set["instead"]["Sid"]),
        (&HARM.into(), &HARM.into())
    );
    assert_eq!(value["remedies"]["identityPolicies"][0].get("permissionSet"), None);
    assert_eq!(value["remedies"]["resources"][1]["snippet"]["Tags"][0]["Key"], HARM);
    assert_eq!((&value["blocks"], &value["fails"]), (&true.into(), &true.into()));
    assert_eq!(value["blocking"].as_array().unwrap().len(), 1);
    assert_eq!(value["change"]["differs"], true);
}

#[test]
fn resources_alone_are_remedies_too() {
    let mut report = everything();
    let key_assessment = report.key_assessment.as_mut().unwrap();
    key_assessment.assessment.remedies.key_policy_statements.clear();
    key_assessment.assessment.remedies.identity_policies.clear();
    for format in [ReportFormat::Text { colour: false }, ReportFormat::Markdown, ReportFormat::Html] {
        assert!(report.render(format).contains("aws kms tag-resource"), "{format:?}");
    }
}

#[test]
fn every_block_to_paste_has_a_button_of_its_own() {
    let page = everything().render(ReportFormat::Html);
    let figures: Vec<_> = page.split("<figure class=\"copy\">").skip(1).collect();
    assert_eq!(
        figures.len(),
        7,
        "a statement, a policy, a policy and its alternative, a snippet, a command and a snippet"
    );
    for figure in figures {
        let figure = figure.split("</figure>").next().unwrap();
        assert_eq!(
            (figure.matches("<pre>").count(), figure.matches("<figcaption>").count()),
            (1, 1),
            "{figure}"
        );
    }
}

#[test]
fn a_verdict_shows_the_statement_that_decided_and_no_other() {
    let report = everything();
    let key_assessment = report.key_assessment.unwrap();
    let matrix = Matrix::of(&key_assessment);
    let statements = matrix.rows[0].user.as_ref().unwrap().statements(key_assessment.key_policy.as_ref());
    assert_eq!(statements.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_row_is_one_principal_and_the_heaviest_verdicts_come_first() {
    let access = |name: &str, side, verdict| PrincipalAccess {
        principal: PrincipalArn::parse(&format!("arn:aws:iam::111122223333:role/{name}")).unwrap(),
        side,
        verdict,
        is_admitted: false,
        source: String::new(),
        exempt: name == "Exempt",
        key_side: String::new(),
        own_side: String::new(),
        key_policy_statements: Vec::new(),
        is_refused: false,
    };
    let assessment = Assessment {
        access: vec![
            access("Fine", CallerKind::User, Verdict::Pass),
            access("Exempt", CallerKind::User, Verdict::Fail),
            access("Both", CallerKind::User, Verdict::Pass),
            access("Both", CallerKind::Node, Verdict::Fail),
            access("Unknown", CallerKind::Node, Verdict::Unknown),
        ],
        ..Assessment::default()
    };
    let matrix = Matrix::of(&KeyAssessment { mode: PreflightMode::Enforce, assessment, key_policy: None });
    let order: Vec<_> = matrix.rows.iter().map(|row| row.subject.rsplit('/').next().unwrap()).collect();
    assert_eq!(order, ["Both", "Unknown", "Fine", "Exempt"]);
    assert_eq!(matrix.rows[0].cells().count(), 2);
}
