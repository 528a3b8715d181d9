use std::cell::{Cell, RefCell};

use sha2::{Digest, Sha256};

use super::*;
use crate::test_certificates::Authority;

/// As <https://www.amazontrust.com/repository/> names them, in the order of `AMAZON`.
const FINGERPRINTS: [&str; 5] = [
    "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
    "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
    "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
    "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
    "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
];

thread_local! {
    static AMAZON_HAS: RefCell<Option<CertificateDer<'static>>> = const { RefCell::new(None) };
    static SYSTEM_HAS: RefCell<Option<CertificateDer<'static>>> = const { RefCell::new(None) };
    static SYSTEM_READS: Cell<u32> = const { Cell::new(0) };
}

fn store(certificate: &RefCell<Option<CertificateDer<'static>>>) -> RootCertStore {
    // A store without a certificate is no store, so each has one that signs nothing here.
    let mut roots = RootCertStore::empty();
    roots.add(AMAZON[0].into()).unwrap();
    roots.add_parsable_certificates(certificate.borrow().clone());
    roots
}

fn verifier(trust: Trust) -> LazyVerifier {
    let amazon = || AMAZON_HAS.with(store);
    let system = || {
        SYSTEM_READS.set(SYSTEM_READS.get() + 1);
        SYSTEM_HAS.with(store)
    };
    LazyVerifier {
        trust,
        provider: Arc::new(aws_lc_rs::default_provider()),
        amazon: Roots { read: amazon, verifier: OnceLock::new() },
        system: Roots { read: system, verifier: OnceLock::new() },
    }
}

fn accepts(verifier: &LazyVerifier, authority: &Authority, host: &'static str) -> Result<(), Error> {
    let certificate = authority.issue(host).certificate;
    let name = ServerName::try_from(host).unwrap();
    verifier.verify_server_cert(&certificate, &[], &name, &[], UnixTime::now()).map(|_| ())
}

const SSM: &str = "ssm.eu-west-1.amazonaws.com";

#[test]
fn the_roots_are_those_that_aws_names() {
    let fingerprints =
        AMAZON.map(|root| Sha256::digest(root).iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    assert_eq!(fingerprints, FINGERPRINTS);
    assert_eq!(amazon_roots().len(), AMAZON.len());
}

#[test]
fn only_hosts_of_the_commercial_partition_are_first_checked_against_the_roots_of_amazon() {
    let asks = |host: &str| Trust::AmazonThenSystem.asks_amazon_first(&ServerName::try_from(host).unwrap());
    for host in [SSM, "KMS.EU-WEST-1.AmazonAWS.com", "sts.amazonaws.com", "bucket.s3.amazonaws.com"] {
        assert!(asks(host), "{host}");
        assert!(!Trust::System.asks_amazon_first(&ServerName::try_from(host).unwrap()));
    }
    for host in [
        "ssm.us-gov-west-1.amazonaws.com",
        "ssm.cn-north-1.amazonaws.com.cn",
        "ssm.eusc-de-east-1.amazonaws.eu",
        "ssm.us-iso-east-1.c2s.ic.gov",
        "ssm.eu-west-1.api.aws",
        "amazonaws.com",
        "evilamazonaws.com",
        "ssm.eu-west-1.amazonaws.com.evil.example",
        "localhost",
        "127.0.0.1",
        "::1",
    ] {
        assert!(!asks(host), "{host}");
    }
}

#[test]
fn a_host_of_aws_with_a_certificate_of_amazon_needs_no_certificate_of_the_system() {
    let authority = Authority::new();
    AMAZON_HAS.set(Some(authority.certificate.clone()));
    let verifier = verifier(Trust::AmazonThenSystem);
    assert_eq!(accepts(&verifier, &authority, SSM), Ok(()));
    assert_eq!(SYSTEM_READS.get(), 0);
}

#[test]
fn the_roots_of_amazon_do_not_count_for_another_host_or_if_the_environment_names_certificates() {
    let authority = Authority::new();
    AMAZON_HAS.set(Some(authority.certificate.clone()));
    let unknown = Err(Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer));
    assert_eq!(accepts(&verifier(Trust::AmazonThenSystem), &authority, "example.com"), unknown);
    assert_eq!(accepts(&verifier(Trust::System), &authority, SSM), unknown);
    assert_eq!(SYSTEM_READS.get(), 2);
}

#[test]
fn what_the_system_trusts_is_trusted_for_every_host_and_read_once() {
    let authority = Authority::new();
    SYSTEM_HAS.set(Some(authority.certificate.clone()));
    let verifier = verifier(Trust::AmazonThenSystem);
    for host in [SSM, SSM, "example.com"] {
        assert_eq!(accepts(&verifier, &authority, host), Ok(()), "{host}");
    }
    assert_eq!(SYSTEM_READS.get(), 1);
}

#[test]
fn an_unknown_issuer_and_another_host_are_refused() {
    let (known, unknown) = (Authority::new(), Authority::new());
    AMAZON_HAS.set(Some(known.certificate.clone()));
    SYSTEM_HAS.set(Some(known.certificate.clone()));
    let verifier = verifier(Trust::AmazonThenSystem);
    let refused = accepts(&verifier, &unknown, SSM);
    assert!(matches!(refused, Err(Error::InvalidCertificate(_))), "{refused:?}");
    let certificate = known.issue("kms.eu-west-1.amazonaws.com").certificate;
    let name = ServerName::try_from(SSM).unwrap();
    let refused = verifier.verify_server_cert(&certificate, &[], &name, &[], UnixTime::now());
    assert!(matches!(refused, Err(Error::InvalidCertificate(_))), "{refused:?}");
}

#[test]
fn a_store_without_certificates_is_an_error_and_no_panic() {
    let empty = Roots { read: RootCertStore::empty, verifier: OnceLock::new() };
    let error = empty.verifier(&Arc::new(aws_lc_rs::default_provider())).unwrap_err();
    assert!(error.to_string().contains("no certificates are trusted"), "{error}");
}
