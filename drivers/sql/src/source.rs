//! The sources of facts. A fact names its source by a text that lives as long as the program, and a file
//! gives one that does not; so each different source is kept once, for good. There are as many as there are
//! services.

use std::sync::{Mutex, PoisonError};

/// The most different sources: far more than there are services, and little enough to keep.
const MAX_SOURCES: usize = 256;

static KNOWN: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

/// The source with this name; none when there were too many different ones.
pub fn known(name: &str) -> Option<&'static str> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known.iter().find(|one| **one == name) {
        return Some(found);
    }
    if known.len() == MAX_SOURCES {
        return None;
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    known.push(kept);
    Some(kept)
}
