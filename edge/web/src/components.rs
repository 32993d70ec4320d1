//! The parts that pages are made of.

use maud::{Markup, html};

use crate::{
    form::{Errors, Fields},
    i18n::Text,
    view::Theme,
};

/// The names of the colours.
pub(crate) fn theme_names(text: Text, theme: Theme) -> &'static str {
    match theme {
        Theme::System => text.colours_system(),
        Theme::Light => text.colours_light(),
        Theme::Dark => text.colours_dark(),
    }
}

/// One line of a form.
///
/// ```text
///   Field::new("email", text.email()).kind("email").autocomplete("email").required().shown(&errors, &fields)
/// ```
pub(crate) struct Field<'a> {
    name: &'a str,
    label: &'a str,
    hint: Option<&'a str>,
    kind: &'static str,
    autocomplete: Option<&'static str>,
    is_required: bool,
    rows: Option<u32>,
    more: Vec<(&'static str, String)>,
}

impl<'a> Field<'a> {
    /// A field for a line of text.
    pub fn new(name: &'a str, label: &'a str) -> Self {
        let (hint, kind, autocomplete) = (None, "text", None);
        Self { name, label, hint, kind, autocomplete, is_required: false, rows: None, more: Vec::new() }
    }

    /// As `type`, such as `email`, `password`, `number`, `date`, `datetime-local`.
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    /// What to enter, under the label.
    pub fn hint(mut self, hint: &'a str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// What a browser may fill in (HTML, autofill).
    pub fn autocomplete(mut self, what: &'static str) -> Self {
        self.autocomplete = Some(what);
        self
    }

    /// It cannot be left empty.
    pub fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// Several lines.
    pub fn rows(mut self, rows: u32) -> Self {
        self.rows = Some(rows);
        self
    }

    /// Another attribute of the input: `min`, `max`, `step`, `minlength`, `maxlength`, `inputmode` or `pattern`.
    pub fn with(mut self, attribute: &'static str, value: impl ToString) -> Self {
        self.more.push((attribute, value.to_string()));
        self
    }

    /// With what was typed and what is wrong with it. A password is never filled in again.
    pub fn shown(&self, errors: &Errors, fields: &Fields) -> Markup {
        let value = if self.kind == "password" { "" } else { fields.raw(self.name) };
        self.valued(errors, value)
    }

    /// With a value.
    pub fn valued(&self, errors: &Errors, value: &str) -> Markup {
        let (id, error) = (self.name, errors.on(self.name));
        let described = [self.hint.map(|_| format!("{id}-hint")), error.map(|_| format!("{id}-error"))];
        let described = described.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let described = Some(described).filter(|text| !text.is_empty());
        let more = |name| self.more.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        html! {
            div.field.wrong[error.is_some()] {
                label for=(id) { (self.label) }
                @if let Some(hint) = self.hint { p.hint id={ (id) "-hint" } { (hint) } }
                @if let Some(error) = error { p.error id={ (id) "-error" } { (error) } }
                @if let Some(rows) = self.rows {
                    textarea id=(id) name=(id) rows=(rows) required[self.is_required]
                        maxlength=[more("maxlength")] aria-describedby=[described]
                        aria-invalid=[error.map(|_| "true")] { (value) }
                } @else {
                    input id=(id) name=(id) type=(self.kind) value=(value) autocomplete=[self.autocomplete]
                        required[self.is_required] min=[more("min")] max=[more("max")] step=[more("step")]
                        minlength=[more("minlength")] maxlength=[more("maxlength")]
                        inputmode=[more("inputmode")] pattern=[more("pattern")] list=[more("list")]
                        aria-describedby=[described] aria-invalid=[error.map(|_| "true")];
                }
            }
        }
    }
}

/// A choice of one of several: value and name.
pub(crate) fn select(
    name: &str,
    label: &str,
    options: &[(&str, &str)],
    chosen: &str,
    errors: &Errors,
) -> Markup {
    let error = errors.on(name);
    html! {
        div.field.wrong[error.is_some()] {
            label for=(name) { (label) }
            @if let Some(error) = error { p.error id={ (name) "-error" } { (error) } }
            select id=(name) name=(name) aria-invalid=[error.map(|_| "true")]
                aria-describedby=[error.map(|_| format!("{name}-error"))] {
                @for (value, words) in options {
                    option value=(value) selected[*value == chosen] { (words) }
                }
            }
        }
    }
}

/// All that is wrong with a form, above it, each with a link to its field; nothing where nothing is. `site.js` gives it
/// the focus.
pub(crate) fn error_summary(text: Text, errors: &Errors) -> Markup {
    html! {
        @if !errors.is_empty() {
            div.summary role="alert" tabindex="-1" id="error-summary" aria-labelledby="error-title" {
                h2 id="error-title" { (text.form_is_wrong()) }
                ul {
                    @for (field, mend) in errors.iter() { li { a href={ "#" (field) } { (mend) } } }
                }
            }
        }
    }
}

/// A button that sends a form.
pub(crate) fn submit(words: &str) -> Markup {
    html! { button.button type="submit" { (words) } }
}

/// The mark of the house.
pub(crate) fn icon_ticket() -> Markup {
    html! {
        svg.mark viewBox="0 0 32 20" width="32" height="20" aria-hidden="true" focusable="false" {
            path d="M2 0h28a2 2 0 0 1 2 2v5a3 3 0 0 0 0 6v5a2 2 0 0 1-2 2H2a2 2 0 0 1-2-2v-5a3 3 0 0 0 0-6V2a2 2 0 0 1 2-2Z" fill="currentColor" {}
            path d="M21 3v14" class="tear" stroke-width="2" stroke-dasharray="2 2" fill="none" {}
        }
    }
}
