//! TLS towards upstreams. Certificates are verified unless a service says otherwise.

use std::sync::Arc;

use kong::{Config, Kind};
use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme, WantsVerifier,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_rustls::TlsConnector;

use super::connect::Dialogue;
use crate::entity::Service;

/// How a service is spoken to.
///
/// # Errors
/// When a certificate cannot be used, or the host is no name of TLS.
pub(super) fn dialogue(service: &Service, config: &Config) -> Result<Dialogue, String> {
    let is_grpc = service.protocol.is_grpc();
    if !service.protocol.is_secure() {
        return Ok(Dialogue { is_grpc, tls: None });
    }
    let name = service.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(name).map_err(|error| format!("{}: {error}", service.host))?;
    let mut client = client(service, config)?;
    client.alpn_protocols = vec![if is_grpc { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    Ok(Dialogue { is_grpc, tls: Some((TlsConnector::from(Arc::new(client)), name)) })
}

/// How active checks speak to targets over TLS. Where TLS cannot be set up, they fail.
pub(super) fn check_dialogue(name: &str, is_grpc: bool, verify: bool) -> Dialogue {
    let client = if verify { by_platform() } else { unverified() };
    let name = ServerName::try_from(name.to_owned());
    let tls = client.ok().zip(name.ok()).map(|(client, name)| (TlsConnector::from(Arc::new(client)), name));
    Dialogue { is_grpc, tls }
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())
}

fn unverified() -> Result<ClientConfig, String> {
    let anybody = Arc::new(Anybody(Arc::new(aws_lc_rs::default_provider())));
    Ok(builder()?.dangerous().with_custom_certificate_verifier(anybody).with_no_client_auth())
}

/// By the authorities of the system.
fn by_platform() -> Result<ClientConfig, String> {
    let verified = builder()?.with_platform_verifier().map_err(|error| error.to_string())?;
    Ok(verified.with_no_client_auth())
}

fn client(service: &Service, config: &Config) -> Result<ClientConfig, String> {
    if service.tls_verify == Some(false) {
        return unverified();
    }
    let authorities = service.ca_certificates.as_deref().unwrap_or_default();
    if authorities.is_empty() {
        return by_platform();
    }
    let mut roots = RootCertStore::empty();
    for id in authorities {
        let known = config.get(Kind::CaCertificates, *id);
        let pem = known.and_then(|entity| entity.text("cert")).unwrap_or_default();
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes());
        let certificate = certificate.map_err(|error| format!("the CA certificate {id}: {error}"))?;
        roots.add(certificate).map_err(|error| format!("the CA certificate {id}: {error}"))?;
    }
    Ok(builder()?.with_root_certificates(roots).with_no_client_auth())
}

/// Believes every certificate: for services with `tls_verify: false`.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
