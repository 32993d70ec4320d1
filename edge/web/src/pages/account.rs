//! Opening an account, signing in and out, and one's own account.

mod change;
mod sign_in;

use axum::Router;
#[cfg(test)]
pub(crate) use change::AccountPage;
#[cfg(test)]
pub(crate) use sign_in::{LogInPage, SignUpPage};

use crate::{form::Fields, urls};

/// The longest address to come back to, in bytes.
const MAX_RETURN_BYTES: usize = 2_048;

/// The routes of this subject.
pub(crate) fn routes() -> Router {
    Router::new().merge(sign_in::routes()).merge(change::routes())
}

/// Where a form leads back to: a path of ours, and nothing that a browser would take for another host.
pub(crate) fn return_to(fields: &Fields) -> String {
    let path = fields.text("return_to");
    let is_ours = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.chars().any(char::is_control)
        && path.is_ascii()
        && path.len() <= MAX_RETURN_BYTES;
    if is_ours { path.to_owned() } else { urls::Events.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        let to = |path: &str| return_to(&Fields::parse(format!("return_to={path}").as_bytes()));
        assert_eq!(to("/events/7%3Fa=1"), "/events/7?a=1");
        for elsewhere in ["//evil.example", "https://evil.example", "/%5Cevil.example", "/a%0d%0ab", "", "a"]
        {
            assert_eq!(to(elsewhere), "/", "{elsewhere}");
        }
    }
}
