//! Stories on the pages in a real browser: with scripts and without, by keyboard alone, and without a network.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod browser;
mod buying;
mod door;
mod every_page;
mod house;
mod looks;
mod organising;
