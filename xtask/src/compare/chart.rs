//! The picture of a comparison: bars on a logarithmic scale, readable on light and on dark ground.

use std::fmt::Write;

use super::{
    figure::{Figure, Measured},
    page::{figures, number},
};

const WIDTH: f64 = 860.0;
/// Where the bars begin: the labels are to their left.
const LEFT: f64 = 370.0;
/// Where the longest bar may end: its number is to its right.
const RIGHT: f64 = 780.0;
const ROW: f64 = 24.0;
const BAR: f64 = 15.0;
/// So that what is hardly anything is seen to be there.
const SHORTEST: f64 = 2.0;
const HEAD: f64 = 40.0;
const FOOT: f64 = 34.0;
/// Around everything.
const MARGIN: f64 = 16.0;
/// The powers of ten between which bars end.
const DECADES: std::ops::RangeInclusive<i32> = 0..=5;

/// Figures that are looked at together.
struct Part {
    title: &'static str,
    ours: &'static [&'static str],
    theirs: &'static [&'static str],
}

const PARTS: &[Part] = &[
    Part {
        title: "Seats of one event, sold durably",
        ours: &["bookings", "sold-out", "fleet-postgres", "fleet-postgres-3", "fleet-mariadb"],
        theirs: &[
            "mariadb-8",
            "mariadb-32",
            "mariadb-call-8",
            "mariadb-call-32",
            "postgres-8",
            "postgres-32",
            "postgres-statement-8",
            "postgres-statement-32",
            "redis",
            "pretix-orders",
        ],
    },
    Part {
        title: "REST to gRPC",
        ours: &["gateway-echo"],
        theirs: &["envoy", "envoy-cached", "envoy-eddsa"],
    },
    Part {
        title: "Lists and pages of events",
        ours: &["event-list"],
        theirs: &["pretix-event-list", "pretix-event-page"],
    },
    Part { title: "The ceiling: libraries that do nothing", ours: &[], theirs: &["axum-echo", "tonic-echo"] },
];

const STYLE: &str = "\
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .part { font-weight: 600 }
    .scale { font-size: 11px; fill: #656d76 }
    .line { stroke: #d0d7de; stroke-width: 1 }
    .ours { fill: #0969da }
    .theirs { fill: #8c959f }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .scale { fill: #9198a1 }
      .line { stroke: #30363d }
      .ours { fill: #4493f8 }
      .theirs { fill: #6e7681 }
    }";

/// Draws what was measured; what was not has no bar.
pub fn draw(measured: &Measured) -> String {
    let mut body = String::new();
    let mut y = MARGIN;
    for part in PARTS {
        y = draw_part(part, measured, y, &mut body);
    }
    let height = y + FOOT;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"title\">\n\
         <title id=\"title\">Boxoffice and others on the same machine, per second</title>\n\
         <style>\n{STYLE}\n</style>\n"
    );
    for decade in DECADES {
        draw_decade(decade, y, &mut text);
    }
    text + &body + "</svg>\n"
}

/// Draws a part below `top`; where it ends.
fn draw_part(part: &Part, measured: &Measured, top: f64, body: &mut String) -> f64 {
    let classes = part.ours.iter().map(|id| (id, "ours")).chain(part.theirs.iter().map(|id| (id, "theirs")));
    let all = figures();
    let found = classes.filter_map(|(id, class)| {
        let figure = all.iter().find(|figure| figure.id == *id)?;
        Some((figure, class, measured.median(id)?))
    });
    let mut bars: Vec<(&Figure, &str, f64)> = found.collect();
    if bars.is_empty() {
        return top;
    }
    bars.sort_by(|one, other| other.2.total_cmp(&one.2));
    let _ = writeln!(body, "<text class=\"part\" x=\"{MARGIN}\" y=\"{}\">{}</text>", top + 18.0, part.title);
    let mut y = top + HEAD - ROW / 2.0;
    for (figure, class, median) in bars {
        draw_bar(figure, class, median, y, body);
        y += ROW;
    }
    y + ROW / 2.0
}

fn draw_bar(figure: &Figure, class: &str, per_s: f64, y: f64, body: &mut String) {
    let (end, base) = (x_of(per_s), y + BAR - 3.0);
    let _ = writeln!(
        body,
        "<text x=\"{:.1}\" y=\"{base:.1}\" text-anchor=\"end\">{}</text>\n\
         <rect class=\"{class}\" x=\"{LEFT}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"2\"/>\n\
         <text x=\"{:.1}\" y=\"{base:.1}\">{}</text>",
        LEFT - 8.0,
        escape(figure.title),
        (end - LEFT).max(SHORTEST),
        end + 6.0,
        number(per_s),
    );
}

fn draw_decade(decade: i32, bottom: f64, text: &mut String) {
    let value = 10_f64.powi(decade);
    let x = x_of(value);
    let (label, label_y) = (number(value), bottom + 16.0);
    let label = label.trim_end_matches(".0");
    let _ = writeln!(
        text,
        "<line class=\"line\" x1=\"{x:.1}\" y1=\"{MARGIN}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>\n\
         <text class=\"scale\" x=\"{x:.1}\" y=\"{label_y:.1}\" text-anchor=\"middle\">{label}/s</text>"
    );
}

/// Where a bar of this figure ends.
fn x_of(per_s: f64) -> f64 {
    let (first, last) = (f64::from(*DECADES.start()), f64::from(*DECADES.end()));
    let part = (per_s.max(1.0).log10() - first) / (last - first);
    LEFT + (RIGHT - LEFT) * part.clamp(0.0, 1.0)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::page;

    #[test]
    fn a_picture_is_well_formed_and_has_a_bar_for_each_figure() {
        let text = draw(&page::sample());
        let document = roxmltree::Document::parse(&text).unwrap();
        let bars = document.descendants().filter(|node| node.has_tag_name("rect")).count();
        assert_eq!(bars, 3);
        assert!(document.descendants().any(|node| node.text() == Some("10,000")));
    }

    #[test]
    fn each_tenfold_is_as_long_as_the_next() {
        assert!((x_of(10_000.0) - x_of(1_000.0) - (x_of(1_000.0) - x_of(100.0))).abs() < 1e-9);
        assert_eq!(x_of(1e9), RIGHT);
        assert_eq!(x_of(0.1), LEFT);
    }

    #[test]
    fn each_figure_of_the_picture_exists() {
        let all = figures();
        for id in PARTS.iter().flat_map(|part| part.ours.iter().chain(part.theirs)) {
            assert!(all.iter().any(|figure| figure.id == *id), "{id}");
        }
    }
}
