use super::*;

const ROLE: &str = "arn:aws:iam::123456789012:role/team/App";
const USER: &str = "arn:aws:iam::123456789012:user/ann";
const DOCUMENT: &str = "%7B%22Version%22%3A%222012-10-17%22%7D";
const TEXT: &str = r#"{"Version":"2012-10-17"}"#;

fn read(inside: &str) -> Result<PolicyPage, XmlDecodeError> {
    let wanted = [ROLE, USER].map(|arn| PrincipalArn::parse(arn).unwrap()).into();
    let answer = format!(
        r#"<GetAccountAuthorizationDetailsResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
        <GetAccountAuthorizationDetailsResult>{inside}</GetAccountAuthorizationDetailsResult>
        <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetAccountAuthorizationDetailsResponse>"#
    );
    query_answer::read_result(LIST.name, answer.as_bytes(), |result| page(result, &wanted))
}

#[test]
fn a_page_has_the_entities_that_matter() {
    let page = read(&format!(
        "<IsTruncated>true</IsTruncated><Marker>m&amp;1</Marker>
        <UserDetailList><member><Path>/</Path><UserName>ann</UserName><Arn>{USER}</Arn>
            <GroupList><member>Ops</member><member>Dev</member></GroupList>
            <UserPolicyList><member><PolicyName>own</PolicyName><PolicyDocument>{DOCUMENT}</PolicyDocument></member></UserPolicyList>
            <AttachedManagedPolicies/>
            <PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>
                <PermissionsBoundaryArn>arn:aws:iam::123456789012:policy/B</PermissionsBoundaryArn></PermissionsBoundary>
            <Tags><member><Key>team</Key><Value></Value></member></Tags></member></UserDetailList>
        <GroupDetailList><member><GroupName>Ops</GroupName><GroupPolicyList/>
            <AttachedManagedPolicies><member><PolicyName>P</PolicyName><PolicyArn>arn:aws:iam::aws:policy/P</PolicyArn></member></AttachedManagedPolicies>
            </member></GroupDetailList>
        <RoleDetailList>
            <member><Arn>arn:aws:iam::123456789012:role/Other</Arn></member>
            <member><InstanceProfileList><member><Arn>arn:aws:iam::123456789012:instance-profile/P</Arn>
                <Roles><member><Arn>arn:aws:iam::123456789012:role/Nested</Arn></member></Roles></member></InstanceProfileList>
                <Arn>{ROLE}</Arn><AssumeRolePolicyDocument>{DOCUMENT}</AssumeRolePolicyDocument><RolePolicyList/></member>
        </RoleDetailList>
        <Policies><member><PolicyName>P</PolicyName><Arn>arn:aws:iam::aws:policy/P</Arn><DefaultVersionId>v2</DefaultVersionId>
            <PolicyVersionList>
                <member><Document>%7B%7D</Document><VersionId>v3</VersionId><IsDefaultVersion>false</IsDefaultVersion></member>
                <member><Document>{DOCUMENT}</Document><VersionId>v2</VersionId><IsDefaultVersion>true</IsDefaultVersion></member>
            </PolicyVersionList></member>
            <member><Arn>arn:aws:iam::aws:policy/NoDefault</Arn><PolicyVersionList/></member></Policies>"
    ))
    .unwrap();
    assert_eq!(page.marker.as_deref(), Some("m&1"));
    let user = ListedPrincipal {
        principal: PrincipalArn::parse(USER).unwrap(),
        policies: ListedPolicies { inline: vec![("own".to_owned(), TEXT.to_owned())], attached: Vec::new() },
        groups: vec!["Ops".to_owned(), "Dev".to_owned()],
        boundary: Some("arn:aws:iam::123456789012:policy/B".to_owned()),
        tags: vec![("team".to_owned(), String::new())],
        trust_policy: None,
    };
    let role = ListedPrincipal {
        principal: PrincipalArn::parse(ROLE).unwrap(),
        policies: ListedPolicies::default(),
        groups: Vec::new(),
        boundary: None,
        tags: Vec::new(),
        trust_policy: Some(TEXT.to_owned()),
    };
    let attached = vec!["arn:aws:iam::aws:policy/P".to_owned()];
    assert_eq!(
        page.entities,
        [
            ListedEntity::Principal(user),
            ListedEntity::Group {
                name: "Ops".to_owned(),
                policies: ListedPolicies { inline: Vec::new(), attached },
            },
            ListedEntity::Principal(role),
            ListedEntity::ManagedPolicy {
                arn: "arn:aws:iam::aws:policy/P".to_owned(),
                document: TEXT.to_owned(),
            },
        ]
    );
}

#[test]
fn the_last_page_has_no_marker_and_a_page_that_lacks_something_is_an_error() {
    for last in ["", "<IsTruncated>false</IsTruncated>", "<IsTruncated>false</IsTruncated><Marker>m</Marker>"]
    {
        assert_eq!(read(last).unwrap().marker, None, "{last}");
    }
    for inside in [
        "<IsTruncated>true</IsTruncated>",
        "<IsTruncated>perhaps</IsTruncated>",
        "<GroupDetailList><member><GroupPolicyList/></member></GroupDetailList>",
        "<Policies><member><PolicyVersionList/></member></Policies>",
        "<RoleDetailList><member><RolePolicyList><member><PolicyName>P</PolicyName></member></RolePolicyList></member></RoleDetailList>",
    ] {
        assert!(read(inside).is_err(), "{inside}");
    }
}
