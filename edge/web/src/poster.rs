//! A picture for each event, made from its id: pictures from elsewhere are not loaded, and no two events look alike.

use maud::{Markup, PreEscaped, html};
use std::fmt::Write;

/// How many pairs of colours `site.css` has.
const PALETTES: u32 = 6;

/// The shapes of a tile, drawn in a square of one; each is turned by quarters.
const SHAPES: [&str; 5] = [
    "M0 0h1a1 1 0 0 1-1 1z",
    "M0 0h1L0 1z",
    "M0 .5a.5.5 0 0 1 1 0a.5.5 0 0 1-1 0",
    "M0 0h1v.5H0z",
    "M0 0a1 1 0 0 1 1 1H0z",
];

/// A picture that many tiles wide and high. It says nothing that the page does not, so readers skip it.
pub(crate) fn poster(id: &str, columns: u32, rows: u32) -> Markup {
    let mut seed = Seed::of(id);
    let palette = seed.next(PALETTES);
    let mut tiles = String::with_capacity(1_024);
    for row in 0..rows {
        for column in 0..columns {
            let shape = SHAPES[seed.next(SHAPES.len() as u32) as usize];
            let (turn, ground, figure) = (seed.next(4) * 90, seed.next(3), seed.next(3));
            let figure = if figure == ground { (figure + 1) % 3 } else { figure };
            // Writing into a string cannot fail.
            let _ = write!(
                tiles,
                "<g transform=\"translate({column} {row})\"><path class=\"c{ground}\" d=\"M0 0h1.02v1.02H0z\"/>\
                 <path class=\"c{figure}\" transform=\"rotate({turn} .5 .5)\" d=\"{shape}\"/></g>"
            );
        }
    }
    html! {
        svg.poster.{ "p" (palette) } viewBox={ "0 0 " (columns) " " (rows) } preserveAspectRatio="xMidYMid slice"
            aria-hidden="true" focusable="false" shape-rendering="geometricPrecision" {
            (PreEscaped(tiles))
        }
    }
}

/// Numbers that follow from a text (FNV-1a, then xorshift).
struct Seed(u64);

impl Seed {
    fn of(text: &str) -> Self {
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        Self(hash | 1)
    }

    /// The next number below a bound.
    fn next(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 >> 40).unwrap_or(0) % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_keeps_its_picture_and_others_have_another() {
        let picture = |id| poster(id, 4, 3).into_string();
        assert_eq!(picture("a"), picture("a"));
        assert_ne!(picture("a"), picture("b"));
        assert!(picture("<script>").len() < 2_600 && !picture("<script>").contains("script"));
    }
}
