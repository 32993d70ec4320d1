//! The keys of a fleet: files that `boxoffice keys` makes, each for those alone who need it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use kit::{
    Environment,
    identity::{Signer, Verifier},
};
use ticket::TicketKey;

use crate::{
    config::Config,
    data_dir::{create_private, write_private},
};

/// The private key of access tokens, in PKCS #8.
pub const ACCESS_KEY: &str = "access-token.pk8";
/// Its public key, in PEM.
pub const ACCESS_PUBLIC_KEY: &str = "access-token.pub.pem";
/// The private key of tickets, in PKCS #8.
pub const TICKET_KEY: &str = "ticket.pk8";
/// The key that the cookies of the pages are sealed with: random bytes.
pub const SESSION_KEY: &str = "session.key";
/// The longest key file, in bytes.
const MAX_KEY_BYTES: u64 = 64 * 1024;

/// Makes what is missing in a directory; the names of the files that were made. A key that is there stays as it is.
///
/// # Errors
/// When a file cannot be read or written, or what is there is no key.
pub fn make(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    create_private(directory)?;
    let mut made = Vec::new();
    let mut keep = |name: &str, content: &dyn Fn() -> anyhow::Result<Vec<u8>>| {
        let file = directory.join(name);
        if !file.exists() {
            write_private(&file, &content()?).with_context(|| format!("cannot write {}", file.display()))?;
            made.push(file);
        }
        anyhow::Ok(())
    };
    keep(ACCESS_KEY, &|| Ok(Signer::generate()?))?;
    let access = directory.join(ACCESS_KEY);
    let signer = Signer::from_pkcs8(&read(&access)?).with_context(|| format!("{}", access.display()))?;
    keep(ACCESS_PUBLIC_KEY, &|| Ok(signer.public_pem().into_bytes()))?;
    keep(TICKET_KEY, &|| Ok(Signer::generate()?))?;
    keep(SESSION_KEY, &|| Ok(Environment::system().random::<{ web::SESSION_KEY_BYTES }>().to_vec()))?;
    Ok(made)
}

/// Who signs access tokens.
///
/// # Errors
/// When the setting or the file is missing, or is no key.
pub fn signer(config: &Config) -> anyhow::Result<Signer> {
    let file = needed("BOXOFFICE_ACCESS_KEY_FILE", config.fleet.access_key_file.as_deref(), ACCESS_KEY)?;
    Signer::from_pkcs8(&read_named("BOXOFFICE_ACCESS_KEY_FILE", &file)?)
        .with_context(|| format!("BOXOFFICE_ACCESS_KEY_FILE: {} cannot be used", file.display()))
}

/// Who verifies access tokens: by the public key, or by the private one where that is configured.
///
/// # Errors
/// As [`signer`].
pub fn verifier(config: &Config) -> anyhow::Result<Verifier> {
    const SETTING: &str = "BOXOFFICE_ACCESS_PUBLIC_KEY_FILE";
    let public = config.fleet.access_public_key_file.as_deref();
    if public.is_none() && config.fleet.access_key_file.is_some() {
        return Ok(signer(config)?.verifier());
    }
    let file = needed(SETTING, public, ACCESS_PUBLIC_KEY)?;
    let pem = String::from_utf8(read_named(SETTING, &file)?).unwrap_or_default();
    Verifier::from_pem(&pem).with_context(|| format!("{SETTING}: {} cannot be used", file.display()))
}

/// The key of tickets.
///
/// # Errors
/// As [`signer`].
pub fn ticket_key(config: &Config) -> anyhow::Result<TicketKey> {
    const SETTING: &str = "BOXOFFICE_TICKET_KEY_FILE";
    let file = needed(SETTING, config.fleet.ticket_key_file.as_deref(), TICKET_KEY)?;
    let is_none = "is not an Ed25519 private key in PKCS #8";
    TicketKey::from_pkcs8(&read_named(SETTING, &file)?)
        .map_err(|_| anyhow::anyhow!("{SETTING}: {} {is_none}", file.display()))
}

/// The key that the cookies of the pages are sealed with.
///
/// # Errors
/// As [`signer`].
pub fn session_key(config: &Config) -> anyhow::Result<Vec<u8>> {
    const SETTING: &str = "BOXOFFICE_SESSION_KEY_FILE";
    let file = needed(SETTING, config.fleet.session_key_file.as_deref(), SESSION_KEY)?;
    read_named(SETTING, &file)
}

fn needed(setting: &str, file: Option<&Path>, name: &str) -> anyhow::Result<PathBuf> {
    file.map(Path::to_owned).with_context(|| {
        format!("{setting} is needed: `boxoffice keys DIRECTORY` makes the keys, then it is DIRECTORY/{name}")
    })
}

fn read_named(setting: &str, file: &Path) -> anyhow::Result<Vec<u8>> {
    anyhow::ensure!(
        file.is_file(),
        "{setting}: there is no key file {}; `boxoffice keys {}` makes the keys",
        file.display(),
        file.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new(".")).display()
    );
    read(file).with_context(|| format!("{setting} cannot be read"))
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let length = fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    anyhow::ensure!(length <= MAX_KEY_BYTES, "{} is too large for a key", file.display());
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_only_their_owner_reads_them() {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        assert_eq!(make(&keys).unwrap().len(), 4);
        let before = fs::read(keys.join(ACCESS_KEY)).unwrap();
        fs::remove_file(keys.join(ACCESS_PUBLIC_KEY)).unwrap();
        assert_eq!(
            make(&keys).unwrap(),
            [keys.join(ACCESS_PUBLIC_KEY)],
            "what is missing follows from what is there"
        );
        assert_eq!(fs::read(keys.join(ACCESS_KEY)).unwrap(), before);
        #[cfg(unix)]
        for name in [ACCESS_KEY, TICKET_KEY, SESSION_KEY] {
            let mode = fs::metadata(keys.join(name)).unwrap();
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777, 0o600, "{name}");
        }
        let mut config = Config::for_data_dir(dir.path().to_owned()).unwrap();
        config.fleet.access_key_file = Some(keys.join(ACCESS_KEY));
        config.fleet.access_public_key_file = Some(keys.join(ACCESS_PUBLIC_KEY));
        config.fleet.ticket_key_file = Some(keys.join(TICKET_KEY));
        ticket_key(&config).unwrap();
        let (user, now) =
            (domain::UserId(uuid::Uuid::nil()), domain::Time::from_micros(1_800_000_000_000_000));
        let token = signer(&config).unwrap().sign(user, &[], uuid::Uuid::nil(), now).unwrap();
        assert!(verifier(&config).unwrap().verify(&token, now).is_ok());
    }

    #[test]
    fn a_missing_or_wrong_file_names_the_setting_and_the_command() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::for_data_dir(dir.path().to_owned()).unwrap();
        let text = |error: anyhow::Error| format!("{error:#}");
        for error in [text(signer(&config).err().unwrap()), text(verifier(&config).err().unwrap())] {
            assert!(error.contains("KEY_FILE is needed") && error.contains("boxoffice keys"), "{error}");
        }
        config.fleet.ticket_key_file = Some(dir.path().join("keys/ticket.pk8"));
        let error = text(ticket_key(&config).err().unwrap());
        assert!(error.contains("BOXOFFICE_TICKET_KEY_FILE: there is no key file"), "{error}");
        assert!(error.contains(&format!("boxoffice keys {}/keys", dir.path().display())), "{error}");
        fs::create_dir(dir.path().join("keys")).unwrap();
        fs::write(dir.path().join("keys/ticket.pk8"), "secret").unwrap();
        assert!(text(ticket_key(&config).err().unwrap()).contains("PKCS #8"));
    }
}
