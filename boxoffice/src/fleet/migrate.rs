//! `boxoffice migrate`: the schema of each service's database, made or brought up to date.

use anyhow::Context;

use crate::{
    config::Config,
    serve::{Role, StoreUrl, stores},
};

/// Prepares the database of one service, or of each that is configured; what was done, line by line.
///
/// # Errors
/// When none is configured, or one cannot be prepared; the error names the service.
pub async fn run(config: &Config, only: Option<Role>) -> anyhow::Result<Vec<String>> {
    let mut done = Vec::new();
    for role in Role::SERVICES.into_iter().filter(|role| only.is_none_or(|only| only == *role)) {
        let configured = config.fleet.store_url_of(role).is_some();
        if !configured && only.is_none() {
            continue;
        }
        let url = stores::url_of(config, role)?;
        one(&url, role).await.with_context(|| format!("the {role} service, {url}"))?;
        done.push(format!("{role}: {url} is prepared"));
    }
    anyhow::ensure!(
        !done.is_empty(),
        "no database is configured: set BOXOFFICE_STORE_URL, or one for each service such as \
         BOXOFFICE_TICKET_STORE_URL"
    );
    Ok(done)
}

async fn one(url: &StoreUrl, role: Role) -> anyhow::Result<()> {
    match role {
        Role::User => stores::migrate::<user::UserRow>(url, role).await,
        Role::Event => stores::migrate::<event::EventRow>(url, role).await,
        Role::Ticket => stores::migrate::<ticket::TicketRow>(url, role).await,
        Role::Feedback => stores::migrate::<feedback::FeedbackRow>(url, role).await,
        Role::Notification => stores::migrate::<notification::NotificationRow>(url, role).await,
        Role::Analytics => stores::migrate::<analytics::AnalyticsRow>(url, role).await,
        Role::Gateway | Role::Web => anyhow::bail!("{role} has no database"),
    }
}
