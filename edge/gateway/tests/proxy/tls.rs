//! TLS on both sides. The certificates in `certs` are for these tests alone.

use std::sync::Arc;

use kong::Kind;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::fixture::{Backend, Front};

const SHOP: (&str, &str) = (include_str!("certs/shop.pem"), include_str!("certs/shop.key"));
const OTHER: (&str, &str) = (include_str!("certs/other.pem"), include_str!("certs/other.key"));

async fn connect(
    front: &Front,
    name: &'static str,
    trusted: &str,
    alpn: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let tcp = TcpStream::connect(front.tls_address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name).unwrap(), tcp).await
}

fn with_certificate(front: &mut Front, (cert, key): (&str, &str), name: &str) {
    let certificate = front.put(Kind::Certificates, json!({"cert": cert, "key": key}));
    front.put(Kind::Snis, json!({"name": name, "certificate": {"id": certificate}}));
}

#[tokio::test]
async fn each_name_gets_its_certificate_and_both_versions_of_http() {
    let (backend, mut front) = (Backend::saying("ok").await, Front::start().await);
    assert!(connect(&front, "shop.example.org", SHOP.0, b"h2").await.is_err(), "there is none yet");
    with_certificate(&mut front, SHOP, "shop.example.org");
    with_certificate(&mut front, OTHER, "*.example.org");
    let service = front.put(Kind::Services, json!({"url": backend.url()}));
    front.put(
        Kind::Routes,
        json!({"service": {"id": service}, "protocols": ["https"], "snis": ["shop.example.org"]}),
    );
    let mut shop = connect(&front, "shop.example.org", SHOP.0, b"http/1.1").await.unwrap();
    shop.write_all(b"GET / HTTP/1.1\r\nHost: shop.example.org\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    shop.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"), "{answer}");
    assert_eq!(backend.last_head().headers["x-forwarded-proto"], "https");
    let other = connect(&front, "other.example.org", OTHER.0, b"h2").await.unwrap();
    assert_eq!(other.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    assert!(connect(&front, "shop.example.org", OTHER.0, b"h2").await.is_err(), "it is not the other's");
}

#[tokio::test]
async fn an_upstream_over_tls_is_verified_unless_the_service_says_otherwise() {
    // The gateway itself is the upstream: it speaks TLS.
    let (backend, mut inner) = (Backend::saying("inside").await, Front::start().await);
    with_certificate(&mut inner, SHOP, "shop.example.org");
    inner.route(&backend.url(), "/");
    let mut front = Front::start().await;
    let upstream = front.put(Kind::Upstreams, json!({"name": "shop.example.org"}));
    front.put(Kind::Targets, json!({"upstream": {"id": upstream}, "target": inner.tls_address.to_string()}));
    let service = front.put(Kind::Services, json!({"url": "https://shop.example.org", "retries": 0}));
    front.put(Kind::Routes, json!({"service": {"id": service}, "paths": ["/"]}));
    assert_eq!(front.get("/").await.status(), 503, "nobody vouches for it");
    let authority = front.put(Kind::CaCertificates, json!({"cert": SHOP.0}));
    front.patch(Kind::Services, service, json!({"ca_certificates": [authority]}));
    assert_eq!(front.get("/").await.text().await.unwrap(), "inside");
    front.patch(Kind::Services, service, json!({"ca_certificates": null, "tls_verify": false}));
    assert_eq!(front.get("/").await.text().await.unwrap(), "inside");
}

#[tokio::test]
async fn a_stop_finishes_what_runs_and_takes_nothing_new() {
    let backend = Backend::start(|_| {
        Box::pin(async {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            http::Response::new(axum::body::Body::from("done"))
        })
    })
    .await;
    let mut front = Front::start().await;
    front.route(&backend.url(), "/");
    let running = tokio::spawn(reqwest::get(front.url("/")));
    crate::fixture::until("it runs", async || backend.hits() == 1).await;
    front.stop.cancel();
    assert_eq!(running.await.unwrap().unwrap().text().await.unwrap(), "done");
    crate::fixture::until("nobody listens", async || TcpStream::connect(front.address).await.is_err()).await;
}
