//! For tests: a certificate authority, and the certificates that it signs. Nothing of them is kept.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// An authority with a certificate that it has signed itself.
pub(crate) struct Authority {
    key: EcdsaKeyPair,
    pub(crate) certificate: CertificateDer<'static>,
}

/// The certificate of a host, and its key.
pub(crate) struct Issued {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) key: PrivateKeyDer<'static>,
}

const SEQUENCE: u8 = 0x30;
const ECDSA_WITH_SHA256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const EC_PUBLIC_KEY: &[u8] = &[0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const COMMON_NAME: &[u8] = &[0x06, 3, 0x55, 4, 3];
const ALTERNATIVE_NAME: &[u8] = &[0x06, 3, 0x55, 0x1d, 17];
const BASIC_CONSTRAINTS: &[u8] = &[0x06, 3, 0x55, 0x1d, 19];
const TRUE: &[u8] = &[0x01, 1, 0xff];

impl Authority {
    pub(crate) fn new() -> Self {
        let key = new_key();
        let is_authority = der(0x04, &[&der(SEQUENCE, &[TRUE])]);
        let extension = der(SEQUENCE, &[BASIC_CONSTRAINTS, TRUE, &is_authority]);
        let certificate = certificate(&key, &key, "authority", &extension);
        Self { key, certificate }
    }

    pub(crate) fn issue(&self, host: &str) -> Issued {
        let key = new_key();
        let names = der(0x04, &[&der(SEQUENCE, &[&der(0x82, &[host.as_bytes()])])]);
        let extension = der(SEQUENCE, &[ALTERNATIVE_NAME, &names]);
        let certificate = certificate(&self.key, &key, "host", &extension);
        let pkcs8 = key.to_pkcs8v1().unwrap().as_ref().to_vec();
        Issued { certificate, key: PrivatePkcs8KeyDer::from(pkcs8).into() }
    }
}

fn new_key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()
}

/// A certificate in DER, as RFC 5280 lays it out.
fn certificate(
    issuer: &EcdsaKeyPair,
    subject: &EcdsaKeyPair,
    name: &str,
    extension: &[u8],
) -> CertificateDer<'static> {
    let algorithm = der(SEQUENCE, &[ECDSA_WITH_SHA256]);
    let point = [&[0], subject.public_key().as_ref()].concat();
    let public_key = der(SEQUENCE, &[&der(SEQUENCE, &[EC_PUBLIC_KEY, P256]), &der(0x03, &[&point])]);
    let validity = der(SEQUENCE, &[&der(0x17, &[b"200101000000Z"]), &der(0x17, &[b"491231235959Z"])]);
    let (version, serial) = (der(0xa0, &[&[0x02, 1, 2]]), [0x02, 1, 7]);
    let extensions = der(0xa3, &[&der(SEQUENCE, &[extension])]);
    let content = der(
        SEQUENCE,
        &[
            &version,
            &serial,
            &algorithm,
            &named("authority"),
            &validity,
            &named(name),
            &public_key,
            &extensions,
        ],
    );
    let signature = issuer.sign(&SystemRandom::new(), &content).unwrap();
    let signature = der(0x03, &[&[0], signature.as_ref()]);
    der(SEQUENCE, &[&content, &algorithm, &signature]).into()
}

fn named(name: &str) -> Vec<u8> {
    let attribute = der(SEQUENCE, &[COMMON_NAME, &der(0x0c, &[name.as_bytes()])]);
    der(SEQUENCE, &[&der(0x31, &[&attribute])])
}

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match length {
        [0, short @ 0..128] => vec![tag, short],
        [0, one] => vec![tag, 0x81, one],
        [first, second] => vec![tag, 0x82, first, second],
    };
    [head, content].concat()
}
