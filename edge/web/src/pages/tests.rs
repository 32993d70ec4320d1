//! Every page, from its samples, in every language and in all colours.

use std::{collections::BTreeSet, fs, path::Path};

use jiff::Timestamp;
use kit::Environment;

use crate::{
    i18n::{Locale, Text},
    layout,
    view::{Notice, Page, Person, Theme, View},
};

macro_rules! every_page {
    ($($page:path),+ $(,)?) => {
        /// Renders all samples with a view; the page's name with each.
        fn rendered(view: &View) -> Vec<(String, String)> {
            let mut all = Vec::new();
            $(for (number, sample) in <$page>::samples().iter().enumerate() {
                let name = format!("{} {number}", stringify!($page));
                all.push((name, layout::page(view, sample.head(view), &sample.main(view)).into_string()));
            })+
            all
        }
        /// The names of the pages that are rendered.
        const NAMES: &[&str] = &[$(stringify!($page)),+];
    };
}

every_page! {
    super::error::ErrorPage,
    super::account::SignUpPage,
    super::account::LogInPage,
    super::account::AccountPage,
    super::organise::OrganisePage,
    super::organise::ImportedPage,
    super::organise::DashboardPage,
    super::organise::EditPage,
    super::organise::TypePage,
    super::organise::AttendeesPage,
    super::door::DoorsPage,
    super::door::DoorPage,
    super::start::WelcomePage,
    super::admin::AdminPage,
    super::admin::MailboxPage,
    super::admin::MailPage,
    super::admin::SystemPage,
    super::events::ListPage,
    super::events::CalendarPage,
    super::events::EventPage,
    super::events::BookPage,
    super::events::WidgetPage,
    super::bookings::BookingsPage,
    super::bookings::BookingPage,
    super::bookings::CancelPage,
    super::tickets::TicketPage,
}

fn view(locale: Locale, person: Option<Person>, notice: Option<Notice>) -> View {
    View {
        text: Text(locale),
        theme: Theme::Dark,
        person,
        path: "/a?b=\"c\"".to_owned(),
        origin: "https://tickets.example".to_owned(),
        now: Timestamp::from_second(1_800_000_000).unwrap(),
        notice,
        token: "token".to_owned(),
        environment: Environment::system(),
    }
}

fn views() -> Vec<View> {
    let person = Person { name: "<b>Olga</b>".to_owned(), is_admin: true };
    Locale::ALL
        .into_iter()
        .flat_map(|locale| [view(locale, None, None), view(locale, Some(person.clone()), Some(Notice::Paid))])
        .collect()
}

#[test]
fn no_page_is_left_out() {
    let sources = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages"));
    let pages: BTreeSet<String> = sources
        .iter()
        .flat_map(|source| source.lines().filter_map(|line| line.strip_prefix("impl Page for ")))
        .map(|rest| rest.split(['<', ' ']).next().unwrap().to_owned())
        .collect();
    let named: BTreeSet<String> =
        NAMES.iter().map(|name| name.rsplit("::").next().unwrap().trim().to_owned()).collect();
    assert_eq!(pages, named, "every_page! names other pages than there are");
}

fn rust_files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => vec![fs::read_to_string(path).unwrap()],
        })
        .collect()
}

#[test]
fn every_page_is_well_formed_in_every_language() {
    for view in views() {
        for (name, html) in rendered(&view) {
            let name = format!("{name} in {:?}", view.locale());
            assert!(html.starts_with("<!DOCTYPE html>"), "{name}");
            assert!(html.contains(&format!("<html lang=\"{}\"", view.locale().code())), "{name}");
            check(&name, &html);
        }
    }
}

/// What can be told of a page without a browser.
fn check(name: &str, html: &str) {
    let count = |needle: &str| html.matches(needle).count();
    assert_eq!(count("<h1"), 1, "{name} has one heading of the first level");
    assert_eq!(count("<main"), 1, "{name}");
    assert_eq!(count(" style=\""), 0, "{name} has a style that the policy forbids");
    for handler in [" onclick=", " onload=", " onerror=", "=\"javascript:"] {
        assert!(!html.contains(handler), "{name} has {handler}");
    }
    for inline in html.split("<script").skip(1) {
        let tag = inline.split('>').next().unwrap();
        assert!(tag.contains(" src=\"/assets/") || tag.contains("ld+json"), "{name}: <script{tag}>");
    }
    for link in ["href=\"\"", "src=\"\""] {
        assert!(!html.contains(link), "{name} has {link}: is the asset named in FILES?");
    }
    let mut ids = BTreeSet::new();
    for id in values(html, " id=\"") {
        assert!(ids.insert(id), "{name} has the id {id} twice");
    }
    for attribute in [" for=\"", " aria-describedby=\"", " aria-labelledby=\""] {
        for id in values(html, attribute).into_iter().flat_map(str::split_ascii_whitespace) {
            assert!(ids.contains(id), "{name}:{attribute}{id}\" leads nowhere");
        }
    }
    let labels: BTreeSet<&str> = values(html, " for=\"").into_iter().collect();
    for input in html.split("<input ").chain(html.split("<select ")).chain(html.split("<textarea ")) {
        let tag = input.split('>').next().unwrap();
        let id = values(tag, "id=\"").first().copied();
        let is_labelled = id.is_some_and(|id| labels.contains(id)) || tag.contains("aria-label=");
        assert!(
            is_labelled || tag.contains("type=\"hidden\"") || tag.starts_with("<!DOCTYPE"),
            "{name}: <input {tag}>"
        );
    }
    for form in html.split("<form").skip(1).filter(|form| form.split('>').next().unwrap().contains("post")) {
        let form = form.split("</form>").next().unwrap();
        assert!(form.contains("name=\"form_token\""), "{name} has a form without its token: {form}");
    }
    balanced(name, html);
}

fn values<'h>(html: &'h str, attribute: &str) -> Vec<&'h str> {
    html.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

/// Every element that is opened is closed, in the right order.
fn balanced(name: &str, html: &str) {
    const VOID: [&str; 8] = ["!DOCTYPE", "meta", "link", "input", "br", "hr", "img", "source"];
    let mut open: Vec<&str> = Vec::new();
    for tag in html.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        let element = tag.split_ascii_whitespace().next().unwrap();
        match element.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "{name}"),
            None if VOID.contains(&element) || tag.ends_with('/') => {}
            None => open.push(element),
        }
    }
    assert!(open.is_empty(), "{name}: {open:?}");
}

#[test]
fn what_people_wrote_never_becomes_markup() {
    for (name, html) in rendered(&views()[1]) {
        assert!(!html.contains("<b>Olga"), "{name}");
        assert!(!html.contains("<script>"), "{name}");
    }
}

#[test]
fn every_notice_has_words_and_comes_back_by_its_code() {
    for notice in Notice::ALL {
        assert_eq!(Notice::from_code(notice.code()), Some(*notice));
        for locale in Locale::ALL {
            assert!(!notice.said(Text(locale)).is_empty());
        }
    }
}
