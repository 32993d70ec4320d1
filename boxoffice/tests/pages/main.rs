//! Stories on the pages, as browsers without scripts play them: forms, cookies and redirections, in this process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod browser;
mod buying;
mod languages;
mod safety;
mod sessions;
