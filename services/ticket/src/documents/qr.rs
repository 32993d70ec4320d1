//! The QR code of a ticket (ISO/IEC 18004).

use std::fmt::Write;

use fast_qr::{ECL, QRBuilder, QRCode};

use super::DocumentError;

/// The empty modules that a reader needs around the code, on each side.
pub(super) const QUIET_ZONE: usize = 4;

/// A row of dark modules, counted from the corner of the quiet zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bar {
    /// The first module from the left.
    pub x: usize,
    /// The row from the top.
    pub y: usize,
    /// How many modules.
    pub width: usize,
}

/// The dark parts of a QR code.
pub(super) struct Modules {
    /// The modules of one side, with the quiet zone.
    pub side: usize,
    /// The dark ones.
    pub bars: Vec<Bar>,
}

impl Modules {
    /// The modules that say a code, with error correction M.
    pub(super) fn of(code: &str) -> Result<Self, DocumentError> {
        let qr = QRBuilder::new(code).ecl(ECL::M).build().map_err(|_| DocumentError::CodeTooLong)?;
        let bars = (0..qr.size).flat_map(|row| bars_of_row(&qr, row)).collect();
        Ok(Self { side: qr.size + 2 * QUIET_ZONE, bars })
    }
}

/// The neighbouring dark modules of a row as one bar, so that no hairline shows between them.
fn bars_of_row(qr: &QRCode, row: usize) -> Vec<Bar> {
    let mut bars = Vec::new();
    let mut x = QUIET_ZONE;
    for modules in qr[row].chunk_by(|left, right| left.value() == right.value()) {
        if modules.first().is_some_and(|module| module.value()) {
            bars.push(Bar { x, y: row + QUIET_ZONE, width: modules.len() });
        }
        x += modules.len();
    }
    bars
}

/// The QR code of a ticket as an SVG image, black on white, with its quiet zone.
pub(crate) fn qr_svg(code: &str) -> Result<String, DocumentError> {
    let Modules { side, bars } = Modules::of(code)?;
    // The title does not repeat the code: whoever has the code has the ticket.
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" \
         shape-rendering=\"crispEdges\" role=\"img\"><title>QR code of the ticket</title>\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path fill=\"#000\" d=\""
    );
    for Bar { x, y, width } in bars {
        // Writing to a string cannot fail.
        let _ = write!(svg, "M{x} {y}h{width}v1h-{width}z");
    }
    svg.push_str("\"/></svg>\n");
    Ok(svg)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::documents::tests::CODE;

    /// What a reader sees in an image of bars.
    pub(crate) fn read(side: usize, bars: &[Bar]) -> String {
        const SCALE: usize = 4;
        let mut dark = vec![vec![false; side]; side];
        for bar in bars {
            dark[bar.y][bar.x..bar.x + bar.width].fill(true);
        }
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(side * SCALE, side * SCALE, |x, y| {
            if dark[y / SCALE][x / SCALE] { 0 } else { 255 }
        });
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        let (meta, text) = grids[0].decode().unwrap();
        // The format information says M as 0.
        assert_eq!(meta.ecc_level, 0);
        text
    }

    fn bars_of_path(path: &str) -> Vec<Bar> {
        path.split('M')
            .skip(1)
            .map(|bar| {
                let numbers: Vec<usize> =
                    bar.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
                assert_eq!((numbers[3], numbers[4]), (1, numbers[2]), "{bar}");
                Bar { x: numbers[0], y: numbers[1], width: numbers[2] }
            })
            .collect()
    }

    #[test]
    fn the_picture_is_well_formed_and_reads_back() {
        for code in [CODE, "A", "<&\">", "ä 漢字 🎫"] {
            let svg = qr_svg(code).unwrap();
            let document = roxmltree::Document::parse(&svg).unwrap();
            let root = document.root_element();
            assert_eq!(root.tag_name().name(), "svg");
            assert_eq!(root.attribute("shape-rendering"), Some("crispEdges"));
            let view_box: Vec<&str> = root.attribute("viewBox").unwrap().split(' ').collect();
            let side: usize = view_box[3].parse().unwrap();
            assert_eq!(view_box[..2], ["0", "0"]);
            let title = root.children().find(|node| node.has_tag_name("title"));
            assert_eq!(title.and_then(|title| title.text()), Some("QR code of the ticket"));
            let path = root.children().find(|node| node.attribute("fill") == Some("#000")).unwrap();
            let bars = bars_of_path(path.attribute("d").unwrap());
            assert!(bars.iter().all(|bar| bar.x >= 4 && bar.y >= 4 && bar.x + bar.width + 4 <= side));
            assert_eq!(read(side, &bars), code);
        }
    }

    #[test]
    fn a_code_beyond_the_largest_size_is_refused() {
        assert_eq!(qr_svg(&"é".repeat(2_000)), Err(DocumentError::CodeTooLong));
    }
}
