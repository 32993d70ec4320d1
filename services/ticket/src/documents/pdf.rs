//! The page to print: one sheet of A4 with the event, the ticket and its QR code.

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, TextStr};

use super::{
    DocumentError, Paper,
    font::{Font, OBJECTS},
    qr::{Bar, Modules},
    text::wrap,
};

/// A4 in points, as all lengths here.
const PAGE: (f32, f32) = (595.0, 842.0);
const MARGIN: f32 = 48.0;
/// The most room for the QR code with its quiet zone: about eight centimetres.
const QR_SIDE: f32 = 240.0;
const GAP: f32 = 30.0;

/// A colour as red, green and blue.
type Colour = [f32; 3];
const INK: Colour = [0.08, 0.11, 0.20];
const GREY: Colour = [0.42, 0.45, 0.52];
const PALE: Colour = [0.84, 0.86, 0.90];
const WHITE: Colour = [1.0, 1.0, 1.0];
const ACCENT: Colour = [0.98, 0.78, 0.33];

/// The fonts of the page: DejaVu Sans, for its Latin, Greek, Cyrillic, Hebrew, Arabic and more.
const REGULAR: &[u8] = include_bytes!("../../assets/DejaVuSans.ttf");
const BOLD: &[u8] = include_bytes!("../../assets/DejaVuSans-Bold.ttf");
const REGULAR_NAME: &str = "DejaVuSans";
const BOLD_NAME: &str = "DejaVuSans-Bold";

/// What a door and a holder must know, under the line.
const ADVICE: [&str; 3] = [
    "Bring this page, on paper or on a screen, and show the code at the entrance.",
    "The code lets one person in, once. Whoever shows it first is let in, so do not publish or share it.",
    "If the ticket is cancelled or transferred, this page is no longer valid.",
];

/// The page to print of a ticket, as PDF. The same ticket always gives the same bytes.
pub(crate) fn pdf(paper: &Paper<'_>) -> Result<Vec<u8>, DocumentError> {
    let mut page = Page {
        content: Content::new(),
        regular: Font::new(REGULAR, REGULAR_NAME)?,
        bold: Font::new(BOLD, BOLD_NAME)?,
    };
    let below = page.header(paper);
    page.qr(&Modules::of(paper.code)?, below - GAP);
    let left = page.fields(paper, below - GAP - 10.0);
    page.footer(paper, left.min(below - GAP - QR_SIDE) - GAP);
    page.finish(paper.title)
}

/// A page being written.
struct Page {
    content: Content,
    regular: Font,
    bold: Font,
}

impl Page {
    /// Writes lines downwards from a first baseline, and returns the baseline after the last.
    fn lines(&mut self, lines: &[String], bold: bool, size: f32, colour: Colour, (x, y): (f32, f32)) -> f32 {
        let [r, g, b] = colour;
        self.content.set_fill_rgb(r, g, b);
        let font = if bold { &mut self.bold } else { &mut self.regular };
        let mut baseline = y;
        for line in lines {
            font.write(&mut self.content, line, size, (x, baseline));
            baseline -= size * 1.32;
        }
        baseline
    }

    /// The dark band with the title and the time; returns where it ends.
    fn header(&mut self, paper: &Paper<'_>) -> f32 {
        let width = PAGE.0 - 2.0 * MARGIN;
        let set =
            |size: f32, most: usize| wrap(paper.title, most, |line| self.bold.width(line, size) <= width);
        let (size, title) = match set(26.0, 4) {
            lines if lines.len() <= 3 => (26.0, lines),
            _ => (17.0, set(17.0, 6)),
        };
        let mut when = paper.when();
        when.truncate(2);
        let top = PAGE.1 - 56.0;
        let first = top - 18.0 - size;
        let last = first - title.len() as f32 * size * 1.32 - 4.0;
        let bottom = last - when.len() as f32 * 17.2 - 8.0;
        let [r, g, b] = INK;
        self.content.set_fill_rgb(r, g, b).rect(0.0, bottom, PAGE.0, PAGE.1 - bottom).fill_nonzero();
        let [r, g, b] = ACCENT;
        self.content.set_fill_rgb(r, g, b).rect(0.0, bottom - 4.0, PAGE.0, 4.0).fill_nonzero();
        self.lines(&["ADMISSION TICKET".to_owned()], true, 9.0, ACCENT, (MARGIN, top));
        self.lines(&title, true, size, WHITE, (MARGIN, first));
        self.lines(&when, false, 13.0, WHITE, (MARGIN, last));
        bottom - 4.0
    }

    /// The QR code at the right margin, below a height.
    fn qr(&mut self, modules: &Modules, top: f32) {
        // Whole points where they fit, so that the modules meet the pixels of common resolutions.
        let exact = QR_SIDE / modules.side as f32;
        let module = if exact >= 1.0 { exact.floor() } else { exact };
        let inset = (QR_SIDE - module * modules.side as f32) / 2.0;
        let left = PAGE.0 - MARGIN - QR_SIDE;
        let [r, g, b] = PALE;
        self.content.set_stroke_rgb(r, g, b).set_line_width(1.0);
        self.content.rect(left, top - QR_SIDE, QR_SIDE, QR_SIDE).stroke();
        self.content.set_fill_rgb(0.0, 0.0, 0.0);
        for Bar { x, y, width } in &modules.bars {
            let (x, y) = (left + inset + *x as f32 * module, top - inset - (y + 1) as f32 * module);
            self.content.rect(x, y, *width as f32 * module, module);
        }
        // One filling for all bars: readers smooth the edges of each filling, which would show as seams.
        self.content.fill_nonzero();
    }

    /// What the ticket is, in the left column; returns where it ends.
    fn fields(&mut self, paper: &Paper<'_>, top: f32) -> f32 {
        const SIZE: f32 = 12.5;
        let width = PAGE.0 - 2.0 * MARGIN - QR_SIDE - GAP;
        let price = paper.price().unwrap_or_default();
        let when = paper.when();
        let zone = when.last().map_or("", String::as_str);
        let mut y = top;
        for (label, value, most) in [
            ("PLACE", paper.place, 5),
            ("ATTENDEE", paper.attendee, 4),
            ("TICKET TYPE", paper.ticket_type, 4),
            ("TICKET", &paper.number, 1),
            ("PRICE", &price, 1),
            ("TIME ZONE", zone, 2),
        ] {
            let value = wrap(value, most, |line| self.regular.width(line, SIZE) <= width);
            if value.is_empty() {
                continue;
            }
            self.lines(&[label.to_owned()], true, 7.5, GREY, (MARGIN, y));
            y = self.lines(&value, false, SIZE, INK, (MARGIN, y - 16.0)) - 10.0;
        }
        y
    }

    /// The advice and the id of the ticket, below a height.
    fn footer(&mut self, paper: &Paper<'_>, top: f32) {
        let [r, g, b] = PALE;
        self.content.set_stroke_rgb(r, g, b).set_line_width(1.0).set_dash_pattern([4.0, 4.0], 0.0);
        self.content.move_to(MARGIN, top).line_to(PAGE.0 - MARGIN, top).stroke();
        let advice = ADVICE.map(str::to_owned);
        let y = self.lines(&advice, false, 9.0, INK, (MARGIN, top - 24.0));
        let id = wrap(&format!("Ticket id {}", paper.ticket_id), 2, |line| {
            self.regular.width(line, 8.0) <= PAGE.0 - 2.0 * MARGIN
        });
        self.lines(&id, false, 8.0, GREY, (MARGIN, y - 8.0));
    }

    /// The document with this page.
    fn finish(self, title: &str) -> Result<Vec<u8>, DocumentError> {
        let [catalog, pages, page, content, info] = [1, 2, 3, 4, 5].map(Ref::new);
        let regular = Ref::new(6);
        let bold = Ref::new(6 + OBJECTS);
        let mut pdf = Pdf::new();
        pdf.catalog(catalog).pages(pages).lang(TextStr("en")).viewer_preferences().display_doc_title(true);
        pdf.pages(pages).kids([page]).count(1);
        let mut sheet = pdf.page(page);
        sheet.parent(pages).media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).contents(content);
        sheet
            .resources()
            .fonts()
            .pair(Name(REGULAR_NAME.as_bytes()), regular)
            .pair(Name(BOLD_NAME.as_bytes()), bold);
        sheet.finish();
        pdf.stream(content, &self.content.finish());
        // No date of creation, so that the bytes do not change.
        pdf.document_info(info).title(TextStr(title)).creator(TextStr("Boxoffice"));
        self.regular.embed(&mut pdf, regular)?;
        self.bold.embed(&mut pdf, bold)?;
        Ok(pdf.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::tests::{CODE, paper};

    /// How often bytes occur.
    fn count(pdf: &[u8], needle: &str) -> usize {
        pdf.windows(needle.len()).filter(|window| *window == needle.as_bytes()).count()
    }

    #[test]
    fn it_is_one_page_and_always_the_same() {
        let written = pdf(&paper()).unwrap();
        assert!(written.starts_with(b"%PDF-"));
        assert!(written.trim_ascii_end().ends_with(b"%%EOF"));
        assert_eq!(count(&written, "/Type /Page\n"), 1);
        assert_eq!(count(&written, "/Count 1\n"), 1);
        assert_eq!(written, pdf(&paper()).unwrap());
        assert!(written.len() < 200_000, "{} bytes, so the fonts are not cut", written.len());
    }

    /// The bars of the only QR code in a PDF, from its uncompressed content.
    fn bars_of(pdf: &[u8], side: usize) -> Vec<Bar> {
        let module = (QR_SIDE / side as f32).floor();
        let text = String::from_utf8_lossy(pdf);
        let rects = text
            .lines()
            .filter_map(|line| line.strip_suffix(" re"))
            .map(|line| line.split(' ').map(|number| number.parse().unwrap()).collect::<Vec<f32>>());
        let bars: Vec<Vec<f32>> =
            rects.filter(|rect| rect[2] >= module && rect[3] == module && rect[0] > 0.0).collect();
        let left = bars.iter().map(|rect| rect[0]).fold(f32::MAX, f32::min);
        let top = bars.iter().map(|rect| rect[1]).fold(0.0, f32::max);
        let place = |distance: f32| (distance / module).round() as usize;
        bars.iter()
            .map(|rect| Bar {
                x: place(rect[0] - left) + crate::documents::qr::QUIET_ZONE,
                y: place(top - rect[1]) + crate::documents::qr::QUIET_ZONE,
                width: place(rect[2]),
            })
            .collect()
    }

    #[test]
    fn its_code_reads_back() {
        let side = Modules::of(CODE).unwrap().side;
        let bars = bars_of(&pdf(&paper()).unwrap(), side);
        assert_eq!(crate::documents::qr::tests::read(side, &bars), CODE);
    }

    #[test]
    fn odd_input_is_printed_too() {
        let long = "An exceptionally long title that goes on ".repeat(13);
        let word = "Ж".repeat(10_000);
        for text in [
            "",
            " ",
            "🎫🎉👩‍👩‍👧‍👦",
            "مرحبا بالعالم، محمد الفاتح",
            "שלום עולם 2026 (live)",
            "नमस्ते दुनिया क्षत्रिय",
            "音樂會 東京 서울",
            "a\u{0}b\r\n\tc\u{202E}d\u{FFFF}\u{10FFFF}",
            "e\u{301}\u{301}\u{301}\u{327}q\u{30a}",
            "(\\) endstream endobj %%EOF /Type /Page\n",
            &long,
            &word,
        ] {
            let paper = Paper {
                title: text,
                place: text,
                ticket_type: text,
                attendee: text,
                time_zone: text,
                ..paper()
            };
            let written = pdf(&paper).unwrap();
            assert!(written.starts_with(b"%PDF-"), "{text}");
            assert_eq!(count(&written, "/Count 1\n"), 1, "{text}");
        }
        assert_eq!(pdf(&Paper { code: &word, ..paper() }), Err(DocumentError::CodeTooLong));
    }
}
