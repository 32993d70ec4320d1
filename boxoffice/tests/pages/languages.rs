//! Languages and colours, as a visitor wishes or chooses.

use crate::browser::play;

#[test]
fn the_browser_s_language_is_spoken_until_another_is_chosen() {
    play(async |house| {
        let mut visitor = house.visitor();
        visitor.language = "hi-IN,hi;q=0.9,en;q=0.5";
        let page = visitor.get("/").await;
        page.must_have("<html lang=\"hi\"");
        page.must_have("क्या हो रहा है");
        let page = visitor.send_and_follow(&page.form("preferences").with(&[("language", "fr")])).await;
        page.must_have("<html lang=\"fr\"");
        let page = visitor.send_and_follow(&page.form("preferences").with(&[("theme", "dark")])).await;
        page.must_have("data-theme=\"dark\"");
        page.must_have("<html lang=\"fr\"");
    });
}
