//! What people look at: lists of events with filters, further pages of them, and the page of one event.

use std::cell::Cell;

use anyhow::Context;
use serde::Deserialize;

use crate::{
    catalogue::{self, CATEGORIES, CITIES, Catalogue, WORDS},
    http::{Answer, Call, Connection},
    random::{pick, random},
    scenario::Outcome,
    target::Target,
};

/// How many events a list shows, as the pages of the platform do.
pub const PAGE_SIZE: usize = 20;
/// How many pages of the plain list are looked at.
const PAGES: usize = 10;
/// Every so many lists are read whole and held against their filter; the others only by their beginning.
const READ_EVERY: u32 = 32;

/// The kinds of looks, in the order of [`Look`].
pub const KINDS: &[&str] = &["list", "next_page", "city", "category", "search", "event"];

/// One look. Half of them are at one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    List = 0,
    NextPage = 1,
    City = 2,
    Category = 3,
    Search = 4,
    Event = 5,
}

impl Look {
    /// By parts of a hundred.
    fn choose(random: u64) -> Self {
        match random % 100 {
            0..15 => Self::List,
            15..20 => Self::NextPage,
            20..30 => Self::City,
            30..40 => Self::Category,
            40..50 => Self::Search,
            _ => Self::Event,
        }
    }
}

/// A catalogue that people look at.
pub struct Browsing {
    /// What there is.
    pub catalogue: Catalogue,
    /// Of the plain list, from its second page on.
    page_tokens: Vec<String>,
    lists: Cell<u32>,
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Event>,
    next_page_token: String,
}

#[derive(Deserialize)]
struct Event {
    title: String,
    venue: Venue,
    categories: Vec<String>,
}

#[derive(Deserialize)]
struct Venue {
    city: String,
}

impl Browsing {
    /// Makes the catalogue, and finds its first pages.
    ///
    /// # Errors
    /// When the platform refuses.
    pub async fn set_up(target: &Target, options: &catalogue::Options) -> anyhow::Result<Self> {
        let catalogue = Catalogue::publish(target, options).await?;
        let mut connection = Connection::to(target);
        let mut page_tokens: Vec<String> = Vec::new();
        for _ in 0..PAGES {
            let token = page_tokens.last().map_or("", String::as_str);
            let path = format!("/v1/events?page_size={PAGE_SIZE}&page_token={token}");
            let answer = connection.patient_call(&Call::get(&path)).await?;
            let page = Page::read(&answer).context("a list of events cannot be read")?;
            if page.next_page_token.is_empty() {
                break;
            }
            page_tokens.push(page.next_page_token);
        }
        Ok(Self { catalogue, page_tokens, lists: Cell::new(0) })
    }

    /// What the visitor with this number looks at.
    ///
    /// # Errors
    /// When there was no answer.
    pub async fn look(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let (look, choice) = (Look::choose(random(number, 0)), random(number, 1));
        let path = self.path(look, choice);
        let answer = connection.call(&Call::get(&path)).await?;
        let is_right = answer.is_success()
            && match look {
                Look::Event => self.is_event(choice, &answer),
                _ => self.is_list(look, choice, &answer),
            };
        Ok(match is_right {
            true => Outcome::Done(look as usize),
            false if answer.is_success() => Outcome::Failed(format!("{path}: {}", answer.tell())),
            false => Outcome::refused(&answer),
        })
    }

    fn path(&self, look: Look, choice: u64) -> String {
        let list = format!("/v1/events?page_size={PAGE_SIZE}");
        match look {
            Look::List => list,
            Look::NextPage => match self.page_tokens.get(pick(choice, self.page_tokens.len())) {
                Some(token) => format!("{list}&page_token={token}"),
                None => list,
            },
            Look::City => format!("{list}&city={}", of(CITIES, choice)),
            Look::Category => format!("{list}&category={}", of(CATEGORIES, choice)),
            Look::Search => format!("{list}&q={}", of(WORDS, choice)),
            Look::Event => format!("/v1/events/{}", self.offered(choice)),
        }
    }

    fn offered(&self, choice: u64) -> uuid::Uuid {
        self.catalogue.offers[self.catalogue.popularity.pick(choice)].event_id
    }

    /// The event that was asked for.
    fn is_event(&self, choice: u64, answer: &Answer<'_>) -> bool {
        answer.body.starts_with(format!(r#"{{"id":"{}""#, self.offered(choice)).as_bytes())
    }

    /// Events that the filter lets through, of which the catalogue has some.
    fn is_list(&self, look: Look, choice: u64, answer: &Answer<'_>) -> bool {
        self.lists.set(self.lists.get().wrapping_add(1));
        if !self.lists.get().is_multiple_of(READ_EVERY) {
            return answer.body.starts_with(br#"{"events":[{"id":""#);
        }
        let Some(page) = Page::read(answer) else { return false };
        let fits = |event: &Event| match look {
            Look::City => event.venue.city == of(CITIES, choice),
            Look::Category => event.categories.iter().any(|category| category == of(CATEGORIES, choice)),
            Look::Search => event.title.contains(of(WORDS, choice)),
            Look::List | Look::NextPage | Look::Event => true,
        };
        (1..=PAGE_SIZE).contains(&page.events.len()) && page.events.iter().all(fits)
    }
}

impl Page {
    fn read(answer: &Answer<'_>) -> Option<Self> {
        serde_json::from_slice(answer.body).ok()
    }
}

fn of(names: &[&'static str], choice: u64) -> &'static str {
    names[pick(choice, names.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_looks_are_at_one_event() {
        let mut counts = [0; 6];
        (0..100).for_each(|part| counts[Look::choose(part) as usize] += 1);
        assert_eq!(counts, [15, 5, 10, 10, 10, 50]);
        assert_eq!(KINDS[Look::Search as usize], "search");
    }
}
