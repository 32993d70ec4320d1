//! Signing in, staying so, and ending it.

use http::StatusCode;

use crate::browser::play;

#[test]
fn who_signs_in_comes_back_to_where_they_were() {
    play(async |house| {
        house.somebody("Ana").await;
        let mut visitor = house.visitor();
        let asked = visitor.get("/bookings").await;
        let page = visitor.follow(asked).await;
        let wrong = page.form("log-in").with(&[("email", "ana@example.org"), ("password", "wrong horse")]);
        let refused = visitor.send(&wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        refused.must_have("id=\"error-summary\"");
        let right =
            refused.form("log-in").with(&[("email", "ana@example.org"), ("password", "correct horse")]);
        let answer = visitor.send(&right).await;
        assert_eq!(answer.location().unwrap(), "/bookings?done=logged-in");
    });
}

#[test]
fn a_cookie_is_opaque_and_of_no_use_after_the_sign_out() {
    play(async |house| {
        let mut ana = house.somebody("Ana").await;
        let cookie = ana.cookies["boxoffice"].clone();
        assert!(!cookie.contains("ey") || !cookie.contains('.'), "no token is to be seen: {cookie}");
        let page = ana.get("/").await;
        page.must_have("id=\"log-out\"");
        let page = ana.send_and_follow(&page.form("log-out")).await;
        page.must_have("data-notice=\"logged-out\"");
        assert_ne!(ana.cookies["boxoffice"], cookie);
        assert_eq!(ana.get("/account").await.status, StatusCode::SEE_OTHER);
    });
}

#[test]
fn a_changed_cookie_is_nobody_s() {
    play(async |house| {
        let mut ana = house.somebody("Ana").await;
        let cookie = ana.cookies.get_mut("boxoffice").unwrap();
        cookie.replace_range(30..31, if &cookie[30..31] == "A" { "B" } else { "A" });
        assert_eq!(ana.get("/account").await.status, StatusCode::SEE_OTHER);
    });
}

#[test]
fn an_account_is_changed_taken_along_and_erased() {
    play(async |house| {
        let mut ana = house.somebody("Ana").await;
        let page = ana.get("/account").await;
        let saved = ana
            .send_and_follow(&page.form("account").with(&[("name", "Ana María"), ("birth_year", "1990")]))
            .await;
        saved.must_have("data-notice=\"account-saved\"");
        saved.must_have("Ana María");
        let wrong = [("current_password", "wrong horse"), ("password", "better battery")];
        let refused = ana.send(&saved.form("account-password").with(&wrong)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        let right = [("current_password", "correct horse"), ("password", "better battery")];
        let changed = ana.send_and_follow(&saved.form("account-password").with(&right)).await;
        changed.must_have("data-notice=\"password-changed\"");
        assert!(ana.get("/account/export").await.has("ana@example.org"));
        let unsure = ana.send(&changed.form("account-delete")).await;
        assert_eq!(unsure.status, StatusCode::UNPROCESSABLE_ENTITY);
        let gone = ana.send_and_follow(&changed.form("account-delete").with(&[("sure", "yes")])).await;
        gone.must_have("data-notice=\"account-deleted\"");
        let mut visitor = house.visitor();
        let login = visitor.get("/log-in").await.form("log-in");
        let login = login.with(&[("email", "ana@example.org"), ("password", "better battery")]);
        assert_eq!(visitor.send(&login).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    });
}
