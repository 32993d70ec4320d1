//! A change of some fields: `Some` is a field that was sent, what it holds is the new value.

use domain::{
    Money, Refusal, Time,
    event::{Event, EventDraft, TicketTypeDraft, Venue, details},
    refusal::Check,
};

/// New values of an event.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs, reason = "each is the field of the event of the same name")]
pub struct EventPatch {
    pub title: Option<String>,
    pub description: Option<String>,
    pub starts_at: Option<Time>,
    pub ends_at: Option<Time>,
    pub time_zone: Option<String>,
    pub venue: Option<Venue>,
    pub online: Option<bool>,
    pub categories: Option<Vec<String>>,
    pub image_url: Option<String>,
    pub website_url: Option<String>,
    pub capacity: Option<Option<u32>>,
}

/// New values of a ticket type.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs, reason = "each is the field of the ticket type of the same name")]
pub struct TypePatch {
    pub name: Option<String>,
    pub price: Option<Money>,
    pub quantity: Option<u32>,
    pub max_per_booking: Option<Option<u32>>,
    pub sales_start: Option<Option<Time>>,
    pub sales_end: Option<Option<Time>>,
    pub hidden: Option<bool>,
}

fn set<T: Clone>(field: &mut T, value: &Option<T>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}

impl EventPatch {
    /// Writes the new values.
    pub fn apply(&self, draft: &mut EventDraft) {
        set(&mut draft.title, &self.title);
        set(&mut draft.description, &self.description);
        set(&mut draft.starts_at, &self.starts_at);
        set(&mut draft.ends_at, &self.ends_at);
        set(&mut draft.time_zone, &self.time_zone);
        set(&mut draft.venue, &self.venue);
        set(&mut draft.online, &self.online);
        set(&mut draft.categories, &self.categories);
        set(&mut draft.image_url, &self.image_url);
        set(&mut draft.website_url, &self.website_url);
        set(&mut draft.capacity, &self.capacity);
    }
}

impl TypePatch {
    /// Writes the new values.
    pub fn apply(&self, draft: &mut TicketTypeDraft) {
        set(&mut draft.name, &self.name);
        set(&mut draft.price, &self.price);
        set(&mut draft.quantity, &self.quantity);
        set(&mut draft.max_per_booking, &self.max_per_booking);
        set(&mut draft.sales_start, &self.sales_start);
        set(&mut draft.sales_end, &self.sales_end);
        set(&mut draft.hidden, &self.hidden);
    }
}

/// Checks one ticket type by its own field names, then all together.
pub(crate) fn check_type(event: &Event, draft: &TicketTypeDraft) -> Result<(), Refusal> {
    let mut check = Check::default();
    draft.check(&mut check, "");
    check.finish()?;
    let mut check = Check::default();
    details::check_types(&mut check, &event.type_drafts());
    check.finish()
}
