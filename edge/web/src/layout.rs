//! What is around every page: head, header, footer.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{
    assets,
    components::{icon_ticket, theme_names},
    i18n::{Locale, Text},
    urls,
    view::{Frame, Head, Theme, View},
};

/// A whole page.
pub(crate) fn page(view: &View, head: Head, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(view.locale().code()) data-theme=(view.theme.name()) {
            (head_of(view, &head))
            @match head.frame {
                Frame::Site => (site(view, main)),
                Frame::Bare => body.bare { main id="main" { (main) } },
            }
        }
    }
}

fn head_of(view: &View, head: &Head) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (head.title) " · " (view.text.site_name()) }
            @if let Some(description) = &head.description { meta name="description" content=(description); }
            meta name="color-scheme" content="light dark";
            link rel="stylesheet" href=(assets::href("site.css"));
            @for style in head.styles { link rel="stylesheet" href=(assets::href(style)); }
            link rel="icon" href=(assets::href("icon.svg")) type="image/svg+xml";
            @if let Some(more) = &head.more { (more) }
            @if head.frame == Frame::Site { script type="module" src=(assets::href("site.js")) {} }
            @for script in head.scripts { script type="module" src=(assets::href(script)) {} }
        }
    }
}

fn site(view: &View, main: &Markup) -> Markup {
    let text = view.text;
    html! {
        body {
            a.skip href="#main" { (text.skip_to_content()) }
            header.top {
                div.wrap {
                    a.brand href=(urls::Events) { (icon_ticket()) span { (text.site_name()) } }
                    (navigation(view))
                }
            }
            main.wrap id="main" tabindex="-1" {
                @if let Some(notice) = view.notice {
                    div.notice role="status" id="notice" data-notice=(notice.code()) { p { (notice.said(text)) } }
                }
                (main)
            }
            footer.bottom {
                div.wrap {
                    p { (text.footer_about()) }
                    (preferences(view))
                }
            }
        }
    }
}

fn navigation(view: &View) -> Markup {
    let text = view.text;
    let link = |href: String, words: &str| {
        let here = view.path.split('?').next() == Some(href.as_str());
        html! { li { a href=(href) aria-current=[here.then_some("page")] { (words) } } }
    };
    html! {
        nav aria-label=(text.nav_label()) {
            ul {
                (link(urls::Events.to_string(), text.nav_events()))
                (link(urls::Calendar.to_string(), text.nav_calendar()))
                @if let Some(person) = &view.person {
                    (link(urls::Bookings.to_string(), text.nav_bookings()))
                    (link(urls::Organise.to_string(), text.nav_organise()))
                    @if person.is_admin { (link(urls::Admin.to_string(), text.nav_admin())) }
                    (link(urls::Account.to_string(), &person.name))
                    li {
                        form method="post" action=(urls::LogOut) id="log-out" {
                            (view.form_token())
                            button.plain type="submit" { (text.nav_log_out()) }
                        }
                    }
                } @else {
                    (link(urls::LogIn.to_string(), text.nav_log_in()))
                    (link(urls::SignUp.to_string(), text.nav_sign_up()))
                }
            }
        }
    }
}

/// Language and colours; without a script, by one press of a button.
fn preferences(view: &View) -> Markup {
    let text = view.text;
    html! {
        form.preferences method="post" action=(urls::Preferences) id="preferences" {
            (view.form_token())
            input type="hidden" name="return_to" value=(view.path);
            fieldset {
                legend { (text.language()) }
                @for locale in Locale::ALL {
                    @let own = Text(locale).language_name();
                    button.plain type="submit" name="language" value=(locale.code()) lang=(locale.code())
                        aria-pressed=(if locale == view.locale() { "true" } else { "false" }) { (own) }
                }
            }
            fieldset {
                legend { (text.colours()) }
                @for theme in Theme::ALL {
                    button.plain type="submit" name="theme" value=(theme.name())
                        aria-pressed=(if theme == view.theme { "true" } else { "false" })
                        { (theme_names(text, theme)) }
                }
            }
        }
    }
}

/// JSON for a `<script type="application/ld+json">`: what could end the element is written otherwise.
pub(crate) fn json_script(value: &serde_json::Value) -> Markup {
    let json = value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    html! { script type="application/ld+json" { (PreEscaped(json)) } }
}
