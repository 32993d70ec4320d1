//! The mails that a fleet has sent, which are files where there is no mail server.

use std::time::{Duration, Instant};

use crate::{support::Fleet, visitor::Visitor};

/// The longest that mails may take that had to wait.
const REST_TIMEOUT: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// At least so many mails went out, and none twice. A mail's message id follows from what it is about, so one that was
/// sent twice is there twice.
pub fn each_went_out_once(fleet: &Fleet, at_least: usize) {
    let mut ids = message_ids(fleet);
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert!(count >= at_least, "{count} mails of {at_least}");
    assert_eq!(ids.len(), count, "mails went out twice");
}

/// Waits until so many mails are there.
pub async fn arrive(fleet: &Fleet, count: usize) {
    let until = Instant::now() + REST_TIMEOUT;
    while message_ids(fleet).len() < count {
        assert!(Instant::now() < until, "{} mails of {count}", message_ids(fleet).len());
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Waits until so many mails to somebody are noted as sent.
pub async fn are_noted(reader: &Visitor, count: usize) {
    let until = Instant::now() + REST_TIMEOUT;
    loop {
        let notifications = reader.list("/v1/notifications", "notifications").await;
        let sent = notifications.iter().filter(|notification| notification["status"] == "SENT").count();
        if sent >= count {
            return;
        }
        assert!(Instant::now() < until, "{sent} mails of {count} are sent: {notifications:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// How many mails are there.
pub fn count(fleet: &Fleet) -> usize {
    message_ids(fleet).len()
}

fn message_ids(fleet: &Fleet) -> Vec<String> {
    let Ok(mails) = std::fs::read_dir(fleet.directory.join("mail")) else { return Vec::new() };
    let texts = mails.map(|mail| std::fs::read_to_string(mail.unwrap().path()).unwrap_or_default());
    let ids = texts.filter_map(|text| {
        let id = text.lines().find(|line| line.to_ascii_lowercase().starts_with("message-id:"));
        id.map(str::to_owned)
    });
    ids.collect()
}
