//! The way that mail takes, as configured.

use std::sync::Arc;

use anyhow::Context;
use domain::notification::Mailer;
use emailjs::EmailJsMailer;
use smtp::{MailDirectory, SmtpMailer};

use crate::config::{Config, EmailJs};

/// Where mail is written when nothing sends it, in the data directory.
const MAIL_DIRECTORY: &str = "mail";

/// EmailJS, a mail server, or a directory where neither is configured.
///
/// # Errors
/// When a setting cannot be used, or the directory cannot be written.
pub fn mailer(config: &Config) -> anyhow::Result<Arc<dyn Mailer>> {
    let from = &config.mail_from;
    if let Some(settings) = emailjs(&config.emailjs)? {
        anyhow::ensure!(
            config.smtp_url.is_none(),
            "smtp_url and the settings of EmailJS are both set: mail takes one way, so leave one of them out"
        );
        let mailer =
            EmailJsMailer::new(settings).context("the settings BOXOFFICE_EMAILJS_* cannot be used")?;
        return Ok(Arc::new(mailer));
    }
    Ok(match &config.smtp_url {
        Some(url) => Arc::new(SmtpMailer::new(url, from).context("smtp_url or mail_from cannot be used")?),
        None => {
            let directory = config.data_dir.join(MAIL_DIRECTORY);
            Arc::new(MailDirectory::new(directory, from).context("mail cannot be written")?)
        }
    })
}

/// All four settings, or none of them.
fn emailjs(config: &EmailJs) -> anyhow::Result<Option<emailjs::Settings>> {
    let given = [
        ("BOXOFFICE_EMAILJS_SERVICE_ID", &config.service_id),
        ("BOXOFFICE_EMAILJS_TEMPLATE_ID", &config.template_id),
        ("BOXOFFICE_EMAILJS_PUBLIC_KEY", &config.public_key),
        ("BOXOFFICE_EMAILJS_PRIVATE_KEY", &config.private_key),
    ];
    // An empty one is as good as none: that is how a deployment leaves it out.
    let is_set = |value: &Option<String>| value.as_ref().is_some_and(|value| !value.is_empty());
    if !given.iter().any(|(_, value)| is_set(value)) {
        return Ok(None);
    }
    for (setting, value) in given {
        anyhow::ensure!(is_set(value), "{setting} is not set, and other settings of EmailJS are");
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    Ok(Some(emailjs::Settings {
        service_id: text(&config.service_id),
        template_id: text(&config.template_id),
        public_key: text(&config.public_key),
        private_key: text(&config.private_key),
        url: config.url.clone(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(config: &Config) -> String {
        mailer(config).err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    #[test]
    fn mail_takes_one_way_that_is_wholly_configured() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::for_data_dir(dir.path().to_owned()).unwrap();
        mailer(&config).unwrap();
        config.emailjs.service_id = Some("service_1".to_owned());
        config.emailjs.template_id = Some(String::new());
        assert!(refused(&config).contains("BOXOFFICE_EMAILJS_TEMPLATE_ID is not set"));
        let key = |text: &str| Some(text.to_owned());
        let given = EmailJs {
            service_id: key("service_1"),
            template_id: key("template_1"),
            public_key: key("public"),
            private_key: key("a secret with spaces"),
            url: None,
        };
        config.emailjs = given;
        let why = refused(&config);
        assert!(why.contains("the private key of EmailJS") && !why.contains("a secret"), "{why}");
        config.emailjs.private_key = key("private");
        mailer(&config).unwrap();
        config.smtp_url = key("smtp://localhost");
        assert!(refused(&config).contains("leave one of them out"));
    }
}
