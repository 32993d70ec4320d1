//! Charts drawn on the server, each with the table behind it. What differs by colour differs by pattern too.

use maud::{Markup, html};

use crate::i18n::Text;

/// The size of a chart in its own units; styles scale it.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 220.0;
/// The room for words below, and for numbers above.
const FOOT: f64 = 24.0;
const HEAD: f64 = 18.0;
/// The most labels along the bottom.
const MAX_LABELS: usize = 8;

/// Values by name, in the order in which they are drawn.
pub(super) struct Series<'a> {
    /// What they are, such as `Booked`.
    pub name: &'a str,
    /// One for each label.
    pub values: Vec<i64>,
}

/// A chart with its heading and its table.
pub(super) struct Chart<'a> {
    /// Names it on the page.
    pub id: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// What the labels are, such as `Day`.
    pub along: &'a str,
    /// One for each place.
    pub labels: Vec<String>,
    /// At most two.
    pub series: Vec<Series<'a>>,
}

impl Chart<'_> {
    /// Columns side by side; words instead of a picture where there is nothing yet.
    pub fn columns(&self, text: Text) -> Markup {
        let most = self.series.iter().flat_map(|series| &series.values).copied().max().unwrap_or(0);
        html! {
            section.chart aria-labelledby=(self.id) {
                h2 id=(self.id) { (self.title) }
                @if most <= 0 { p.hint { (text.chart_nothing()) } } @else {
                    figure {
                        (self.picture(text, most))
                        @if self.series.len() > 1 {
                            figcaption.legend {
                                @for (number, series) in self.series.iter().enumerate() {
                                    span { span class={ "swatch series-" (number) } {} (series.name) }
                                }
                            }
                        }
                    }
                    (self.table(text))
                }
            }
        }
    }

    fn picture(&self, text: Text, most: i64) -> Markup {
        let count = self.labels.len().max(1) as f64;
        let slot = WIDTH / count;
        let bar = (slot * 0.7 / self.series.len().max(1) as f64).min(48.0);
        let room = HEIGHT - FOOT - HEAD;
        let every = self.labels.len().div_ceil(MAX_LABELS).max(1);
        let shows_numbers = self.labels.len() * self.series.len() <= 16;
        let middle = |index: usize| slot * (index as f64 + 0.5);
        html! {
            svg.columns viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-labelledby=(self.id) {
                pattern id={ (self.id) "-stripes" } width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.stripe-ground width="6" height="6" {}
                    rect.stripe width="3" height="6" {}
                }
                line.axis x1="0" x2=(WIDTH) y1=(HEIGHT - FOOT) y2=(HEIGHT - FOOT) {}
                @for (number, series) in self.series.iter().enumerate() {
                    @for (index, value) in series.values.iter().enumerate() {
                        @let height = room * (*value).max(0) as f64 / most as f64;
                        @let x = middle(index) + bar * (number as f64 - self.series.len() as f64 / 2.0);
                        @let y = HEIGHT - FOOT - height;
                        rect class={ "series-" (number) } fill=[(number == 1).then(|| format!("url(#{}-stripes)", self.id))]
                            x={ (format!("{x:.1}")) } y={ (format!("{y:.1}")) } width={ (format!("{:.1}", bar - 1.0)) } height={ (format!("{height:.1}")) } {}
                        @if shows_numbers && *value > 0 {
                            text.value x={ (format!("{:.1}", x + bar / 2.0)) } y={ (format!("{:.1}", y - 5.0)) } text-anchor="middle" { (text.number(*value)) }
                        }
                    }
                }
                @for (index, label) in self.labels.iter().enumerate().filter(|(index, _)| index % every == 0) {
                    text.label x={ (format!("{:.1}", middle(index))) } y=(HEIGHT - 7.0) text-anchor="middle" { (label) }
                }
            }
        }
    }

    fn table(&self, text: Text) -> Markup {
        html! {
            details {
                summary { (text.chart_table()) }
                table.cards {
                    thead { tr { th scope="col" { (self.along) } @for series in &self.series { th scope="col" { (series.name) } } } }
                    tbody {
                        @for (index, label) in self.labels.iter().enumerate() {
                            tr {
                                th scope="row" { (label) }
                                @for series in &self.series { td { (text.number(series.values.get(index).copied().unwrap_or(0))) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
