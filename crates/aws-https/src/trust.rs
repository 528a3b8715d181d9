//! Which certificates are trusted, and when they are read.

use std::env;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// Whose certificates are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// For hosts below `amazonaws.com` outside of GovCloud: the roots of Amazon Trust Services, and if they do not
    /// suffice, the system's. For every other host: the system's.
    AmazonThenSystem,
    /// The system's: what `SSL_CERT_FILE` and `SSL_CERT_DIR` name, and otherwise the operating system's.
    System,
}

/// The roots of Amazon Trust Services, valid until 2037-12-31 (Starfield), 2038-01-17 (1) and 2040-05-26 (2, 3, 4).
/// AWS names them in <https://www.amazontrust.com/repository/>; these files are from Debian's `ca-certificates`, and a
/// test holds them to the fingerprints that AWS names.
const AMAZON: [&[u8]; 5] = [
    include_bytes!("roots/amazon-root-ca-1.der"),
    include_bytes!("roots/amazon-root-ca-2.der"),
    include_bytes!("roots/amazon-root-ca-3.der"),
    include_bytes!("roots/amazon-root-ca-4.der"),
    include_bytes!("roots/starfield-services-root-g2.der"),
];

impl Trust {
    /// The system's certificates if the environment names some, as it does for a proxy that inspects TLS.
    #[must_use]
    pub fn of_environment() -> Self {
        let is_set = |name| env::var_os(name).is_some_and(|path| !path.is_empty());
        if is_set("SSL_CERT_FILE") || is_set("SSL_CERT_DIR") { Self::System } else { Self::AmazonThenSystem }
    }

    /// The settings of TLS. No certificate is read before the first handshake.
    pub(crate) fn tls_settings(self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = LazyVerifier {
            trust: self,
            provider: Arc::clone(&provider),
            amazon: Roots { read: amazon_roots, verifier: OnceLock::new() },
            system: Roots { read: system_roots, verifier: OnceLock::new() },
        };
        let mut settings = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            // Rustls calls every verifier of one's own dangerous. This one decides nothing itself.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        settings.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(settings)
    }

    /// Whether the roots of Amazon are asked first.
    fn asks_amazon_first(self, host: &ServerName<'_>) -> bool {
        let ServerName::DnsName(name) = host else { return false };
        let name = name.as_ref().to_ascii_lowercase();
        // GovCloud's Regions may have certificates of others. `amazonaws.com.cn` ends otherwise.
        let is_commercial = || name.ends_with(".amazonaws.com") && !name.contains(".us-gov-");
        self == Self::AmazonThenSystem && is_commercial()
    }
}

/// Leaves each decision to the verifier of rustls, and makes that verifier when it is first needed.
#[derive(Debug)]
struct LazyVerifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
    amazon: Roots,
    system: Roots,
}

/// Certificates that are read once, when they are first needed.
#[derive(Debug)]
struct Roots {
    read: fn() -> RootCertStore,
    verifier: OnceLock<Result<Arc<WebPkiServerVerifier>, Error>>,
}

impl Roots {
    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<&WebPkiServerVerifier, Error> {
        let make = || {
            WebPkiServerVerifier::builder_with_provider(Arc::new((self.read)()), Arc::clone(provider))
                .build()
                .map_err(|error| Error::General(format!("no certificates are trusted: {error}")))
        };
        self.verifier.get_or_init(make).as_deref().map_err(Clone::clone)
    }
}

impl ServerCertVerifier for LazyVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |roots: &Roots| {
            let verifier = roots.verifier(&self.provider)?;
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        if self.trust.asks_amazon_first(server_name)
            && let Ok(verified) = verify(&self.amazon)
        {
            return Ok(verified);
        }
        verify(&self.system)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn amazon_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(AMAZON.map(CertificateDer::from));
    roots
}

fn system_roots() -> RootCertStore {
    let read = rustls_native_certs::load_native_certs();
    if !read.errors.is_empty() {
        tracing::warn!(errors = ?read.errors, "some certificates of the system cannot be read");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(read.certs);
    roots
}

#[cfg(test)]
mod tests;
