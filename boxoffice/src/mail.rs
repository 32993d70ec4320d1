//! The way that mail takes, as configured.

use std::sync::Arc;

use anyhow::Context;
use domain::notification::Mailer;
use smtp::{MailDirectory, SmtpMailer};

use crate::config::Config;

/// A mail server, or a directory where none is configured.
///
/// # Errors
/// When a setting cannot be used, or the directory cannot be written.
pub fn mailer(config: &Config) -> anyhow::Result<Arc<dyn Mailer>> {
    let from = &config.mail_from;
    Ok(match &config.smtp_url {
        Some(url) => Arc::new(SmtpMailer::new(url, from).context("smtp_url or mail_from cannot be used")?),
        None => {
            let directory = config.data_dir.join(MAIL_DIRECTORY);
            Arc::new(MailDirectory::new(directory, from).context("mail cannot be written")?)
        }
    })
}

/// Where mail is written when there is no mail server, in the data directory.
const MAIL_DIRECTORY: &str = "mail";
