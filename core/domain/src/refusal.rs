//! Why a command is not carried out.

use std::borrow::Cow;

/// The kind of a refusal; it fixes the status that a client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The input is wrong in itself.
    BadInput,
    /// Nobody, or somebody with wrong credentials.
    Unauthenticated,
    /// Known, but not allowed.
    Forbidden,
    /// No such thing, or another's private thing.
    NotFound,
    /// The state does not allow it.
    Conflict,
    /// The state is not the one that the caller expected.
    VersionMismatch,
    /// An idempotency key came again with another body.
    KeyReused,
}

/// What is wrong with one field, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The path of the field, such as `lines[0].quantity`.
    pub field: String,
    /// Lower case, no full stop, says the mend: `must be from 1 to 50`.
    pub reason: Cow<'static, str>,
}

/// A refusal: nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The kind.
    pub kind: RefusalKind,
    /// Stable and documented in docs/errors, such as `sold_out`.
    pub code: &'static str,
    /// For people: a lowercase fact, without full stop.
    pub detail: String,
    /// For bad input, each field that is wrong.
    pub fields: Vec<FieldError>,
}

impl Refusal {
    /// A refusal without fields.
    #[must_use]
    pub fn new(kind: RefusalKind, code: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, code, detail: detail.into(), fields: Vec::new() }
    }

    /// The state does not allow it.
    #[must_use]
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(RefusalKind::Conflict, code, detail)
    }

    /// There is no such thing for this caller.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(RefusalKind::NotFound, "not_found", format!("no such {what}"))
    }

    /// The caller may not do that.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(RefusalKind::Forbidden, "forbidden", detail)
    }

    /// One field is wrong.
    #[must_use]
    pub fn field(field: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Self {
        let mut check = Check::default();
        check.fail(field, reason);
        check.into_refusal()
    }
}

/// The most fields that one refusal names. It travels behind the answer of a call, where clients and proxies take a few
/// KiB: a list of a thousand wrong entries would make a refusal look like a service that has failed.
pub const MAX_NAMED_FIELDS: usize = 20;

/// Collects what is wrong with an input, so that one answer names every field, up to [`MAX_NAMED_FIELDS`].
#[derive(Debug, Default)]
pub struct Check {
    fields: Vec<FieldError>,
}

impl Check {
    /// Notes that a field is wrong.
    pub fn fail(&mut self, field: impl Into<String>, reason: impl Into<Cow<'static, str>>) {
        self.fields.push(FieldError { field: field.into(), reason: reason.into() });
    }

    /// Notes it unless the condition holds.
    pub fn require(&mut self, holds: bool, field: &str, reason: impl Into<Cow<'static, str>>) {
        if !holds {
            self.fail(field, reason);
        }
    }

    /// Nothing was wrong, or the refusal that names it all.
    ///
    /// # Errors
    /// When a field was noted.
    pub fn finish(self) -> Result<(), Refusal> {
        if self.fields.is_empty() { Ok(()) } else { Err(self.into_refusal()) }
    }

    fn into_refusal(mut self) -> Refusal {
        let unnamed = self.fields.len().saturating_sub(MAX_NAMED_FIELDS);
        self.fields.truncate(MAX_NAMED_FIELDS);
        let mut named: Vec<_> = self.fields.iter().map(|e| format!("{} {}", e.field, e.reason)).collect();
        if unnamed > 0 {
            named.push(format!("and {unnamed} more"));
        }
        Refusal {
            kind: RefusalKind::BadInput,
            code: "bad_input",
            detail: named.join("; "),
            fields: self.fields,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_so_many_fields_and_says_how_many_more_there_are() {
        let mut check = Check::default();
        (0..1_000).for_each(|line| check.fail(format!("lines[{line}].quantity"), "must be from 1 to 50"));
        let refusal = check.finish().unwrap_err();
        assert_eq!(refusal.fields.len(), MAX_NAMED_FIELDS);
        assert!(refusal.detail.starts_with("lines[0].quantity must be from 1 to 50; "), "{}", refusal.detail);
        assert!(refusal.detail.ends_with("; and 980 more"), "{}", refusal.detail);
    }
}
