//! TLS, where the URL asks for it: the server is who it should be, or nobody speaks to it.

use std::{os::unix::fs::PermissionsExt, path::Path};

use engines::{
    mariadb::MariaDb,
    postgres::Postgres,
    process::{Unprivileged, output},
    tools,
};
use sql::{OpenError, Options};
use store::{Store as _, conformance::SuiteRow};
use tempfile::TempDir;

use crate::{
    everything,
    support::{Suite, open},
};

/// A directory that a server of another account may enter.
fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    directory
}

/// A certificate for this machine and its key, which belong to the account of PostgreSQL.
fn certificate(directory: &Path) -> anyhow::Result<[String; 2]> {
    let account = Unprivileged::named("postgres")?;
    let own = directory.join("tls");
    account.directory(&own)?;
    let mut openssl = account.command(tools::need("openssl", "openssl")?);
    openssl.current_dir(&own).args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ]);
    openssl.args(["-keyout", "key.pem", "-out", "certificate.pem", "-days", "2", "-subj", "/CN=boxoffice"]);
    openssl.args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]);
    output(&mut openssl)?;
    Ok(["certificate.pem", "key.pem"].map(|name| own.join(name).display().to_string()))
}

/// Uses a database by a URL that trusts the certificate, and is refused by one that does not.
async fn is_verified(url: &str, trusting: &str) {
    let refused = Suite::open(url, Options::default()).await.err().expect("nobody vouches for the server");
    assert!(
        matches!(&refused, OpenError::Unreachable { why, .. } if why.contains("certificate")),
        "{refused:?}"
    );
    let url = format!("{url}{trusting}");
    sql::migrate::<SuiteRow>(&url).await.unwrap();
    let store = open(&url).await;
    store.commit(everything::commit(0)).await.unwrap();
    everything::is_there(&store, 0).await;
    store.close().await;
}

#[tokio::test]
async fn postgres_is_verified() {
    let directory = directory();
    let started = certificate(directory.path()).and_then(|[certificate, key]| {
        let settings =
            ["ssl=on".to_owned(), format!("ssl_cert_file={certificate}"), format!("ssl_key_file={key}")];
        let options: Vec<&str> = settings.iter().flat_map(|setting| ["-c", setting]).collect();
        Ok((Postgres::start(directory.path(), &options)?, certificate))
    });
    let Some((server, certificate)) = engines::wanted("TLS of PostgreSQL", started) else { return };
    server.run("CREATE DATABASE safe").unwrap();
    // Whoever comes without TLS is sent away.
    let hba = directory.path().join("postgres/data/pg_hba.conf");
    std::fs::write(hba, "local all all trust\nhostssl safe all 127.0.0.1/32 trust\nhostnossl postgres all 127.0.0.1/32 trust\n").unwrap();
    server.run("SELECT pg_reload_conf()").unwrap();
    let url = format!("postgres://boxoffice@127.0.0.1:{}/safe?sslmode=", server.port);
    let refused = Suite::open(&format!("{url}disable"), Options::default()).await.err();
    assert!(matches!(refused, Some(OpenError::Unreachable { .. })), "{refused:?}");
    is_verified(&format!("{url}verify-full"), &format!("&sslrootcert={certificate}")).await;
}

#[tokio::test]
async fn mariadb_is_verified() {
    let directory = directory();
    let started = certificate(directory.path()).and_then(|[certificate, key]| {
        let options = [format!("--ssl-cert={certificate}"), format!("--ssl-key={key}")];
        let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
        options.push("--require-secure-transport=ON");
        Ok((MariaDb::start(directory.path(), &options)?, certificate))
    });
    let Some((server, certificate)) = engines::wanted("TLS of MariaDB", started) else { return };
    server.run("CREATE DATABASE safe").unwrap();
    let url = format!("mariadb://root@127.0.0.1:{}/safe?ssl-mode=", server.port);
    let refused = Suite::open(&format!("{url}DISABLED"), Options::default()).await.err();
    assert!(matches!(refused, Some(OpenError::Unreachable { .. })), "{refused:?}");
    is_verified(&format!("{url}VERIFY_IDENTITY"), &format!("&ssl-ca={certificate}")).await;
}
