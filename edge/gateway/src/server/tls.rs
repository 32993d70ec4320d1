//! TLS towards clients: which certificate is shown for which name is a part of the configuration.

use std::{collections::HashMap, io, sync::Arc};

use kong::{Config, Kind};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;

use crate::snapshot::Live;

/// The certificates of a configuration.
#[derive(Debug, Default)]
pub(crate) struct Certificates {
    /// By name, in lower case; `*.` may stand for the first part.
    by_name: HashMap<String, Arc<CertifiedKey>>,
    /// For names that nobody is configured for, and clients that say none: the oldest.
    first: Option<Arc<CertifiedKey>>,
}

impl Certificates {
    /// Reads the certificates, and tells of those that cannot be used.
    pub fn of(config: &Config, mut trouble: impl FnMut(&kong::Entity, String)) -> Self {
        let mut known = HashMap::new();
        let mut all: Vec<_> = config.all(Kind::Certificates).collect();
        all.sort_by_key(|entity| entity.integer("created_at"));
        let mut certificates = Self::default();
        for entity in all {
            match certified(entity) {
                Ok(key) => {
                    let key = Arc::new(key);
                    certificates.first.get_or_insert_with(|| Arc::clone(&key));
                    known.insert(entity.id, key);
                }
                Err(why) => trouble(entity, why),
            }
        }
        for sni in config.all(Kind::Snis) {
            let key = sni.foreign("certificate").and_then(|id| known.get(&id));
            if let (Some(name), Some(key)) = (sni.text("name"), key) {
                certificates.by_name.insert(name.to_ascii_lowercase(), Arc::clone(key));
            }
        }
        certificates
    }

    fn find(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let named = name.and_then(|name| {
            let name = name.to_ascii_lowercase();
            let wild = || self.by_name.get(&format!("*.{}", name.split_once('.')?.1));
            self.by_name.get(&name).or_else(wild)
        });
        named.or(self.first.as_ref()).cloned()
    }
}

fn certified(entity: &kong::Entity) -> Result<CertifiedKey, String> {
    let (chain, key) = (entity.text("cert").unwrap_or_default(), entity.text("key").unwrap_or_default());
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| format!("cert: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| format!("key: {error}"))?;
    let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
    certified.map_err(|error| format!("cert and key do not fit together: {error}"))
}

#[derive(Debug)]
struct Resolver(Arc<Live>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.snapshot().certificates.find(hello.server_name())
    }
}

/// Accepts TLS with HTTP/2 and HTTP/1.1.
pub(super) fn acceptor(live: Arc<Live>) -> io::Result<TlsAcceptor> {
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(Resolver(live)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
