//! Sets text in a font that is part of the program, and embeds what was used of it in a PDF.

use std::collections::BTreeMap;

use pdf_writer::{
    Content, Finish, Name, Pdf, Rect, Ref, Str,
    types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap},
};
use rustybuzz::{Direction, Face, UnicodeBuffer};
use subsetter::GlyphRemapper;

use super::{DocumentError, text};

/// The glyph ids of the embedded font are its character ids.
const IDENTITY: SystemInfo<'_> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// How many objects of a PDF a font takes.
pub(super) const OBJECTS: i32 = 5;

/// A glyph with its place after the one before, in thousandths of the font size.
struct Glyph {
    id: u16,
    /// The characters that it stands for; empty for the further glyphs of the same characters.
    text: String,
    advance: f32,
    dx: f32,
    rise: f32,
}

/// A font and the glyphs of it that the document uses.
pub(super) struct Font {
    data: &'static [u8],
    face: Face<'static>,
    /// The name in the document's resources and in the font's descriptor.
    name: &'static str,
    used: GlyphRemapper,
    /// What each used glyph stands for, so that text can be searched and copied.
    texts: BTreeMap<u16, String>,
}

impl Font {
    /// Reads a TrueType font.
    pub(super) fn new(data: &'static [u8], name: &'static str) -> Result<Self, DocumentError> {
        let face = Face::from_slice(data, 0).ok_or(DocumentError::Font)?;
        Ok(Self { data, face, name, used: GlyphRemapper::new(), texts: BTreeMap::new() })
    }

    /// The width of a line.
    pub(super) fn width(&self, line: &str, size: f32) -> f32 {
        self.shape(line).iter().map(|glyph| glyph.advance).sum::<f32>() * size / 1_000.0
    }

    /// Writes a line that starts at a point.
    pub(super) fn write(&mut self, content: &mut Content, line: &str, size: f32, (x, y): (f32, f32)) {
        content.begin_text().set_font(Name(self.name.as_bytes()), size).next_line(x, y);
        for glyphs in self.shape(line).chunk_by(|left, right| left.rise == right.rise) {
            content.set_rise(glyphs.first().map_or(0.0, |glyph| glyph.rise) * size / 1_000.0);
            let mut positioned = content.show_positioned();
            let mut items = positioned.items();
            for glyph in glyphs {
                let id = self.used.remap(glyph.id);
                if glyph.id != 0 && !glyph.text.is_empty() {
                    self.texts.entry(id).or_insert_with(|| glyph.text.clone());
                }
                // An adjustment moves to the left.
                let after = self.natural_advance(glyph.id) + glyph.dx - glyph.advance;
                if glyph.dx != 0.0 {
                    items.adjust(-glyph.dx);
                }
                items.show(Str(&id.to_be_bytes()));
                if after != 0.0 {
                    items.adjust(after);
                }
            }
        }
        content.set_rise(0.0).end_text();
    }

    fn shape(&self, line: &str) -> Vec<Glyph> {
        text::runs(line).iter().flat_map(|run| self.shape_run(run)).collect()
    }

    /// The glyphs of a run from left to right. A character that the font lacks becomes its empty box.
    fn shape_run(&self, run: &text::Run) -> Vec<Glyph> {
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(&run.text);
        buffer.guess_segment_properties();
        buffer.set_direction(if run.rtl { Direction::RightToLeft } else { Direction::LeftToRight });
        let shaped = rustybuzz::shape(&self.face, &[], buffer);
        let mut starts: Vec<usize> = shaped.glyph_infos().iter().map(|info| info.cluster as usize).collect();
        starts.push(run.text.len());
        starts.sort_unstable();
        let mut before = None;
        let glyphs = shaped.glyph_infos().iter().zip(shaped.glyph_positions());
        glyphs
            .map(|(info, position)| {
                let start = info.cluster as usize;
                let end = starts.iter().copied().find(|&next| next > start).unwrap_or(start);
                let text = if before.replace(start) == Some(start) { None } else { run.text.get(start..end) };
                Glyph {
                    id: u16::try_from(info.glyph_id).unwrap_or(0),
                    text: text.unwrap_or_default().to_owned(),
                    advance: self.thousandths(position.x_advance),
                    dx: self.thousandths(position.x_offset),
                    rise: self.thousandths(position.y_offset),
                }
            })
            .collect()
    }

    fn thousandths(&self, units: i32) -> f32 {
        // Whole thousandths keep the file small, and are finer than any printer.
        (units as f32 * 1_000.0 / self.face.units_per_em() as f32).round()
    }

    fn natural_advance(&self, glyph: u16) -> f32 {
        let id = rustybuzz::ttf_parser::GlyphId(glyph);
        self.thousandths(self.face.glyph_hor_advance(id).unwrap_or(0).into())
    }

    /// Adds the font to a document, as [`OBJECTS`] objects from `first` on.
    pub(super) fn embed(&self, pdf: &mut Pdf, first: Ref) -> Result<(), DocumentError> {
        let [cid_font, descriptor, unicode, file] = [1, 2, 3, 4].map(|n| Ref::new(first.get() + n));
        // A name of six letters marks a subset; the fonts of one document differ in their own names.
        let base = format!("BXOFFC+{}", self.name);
        let base = Name(base.as_bytes());
        pdf.type0_font(first)
            .base_font(base)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid_font)
            .to_unicode(unicode);
        let mut font = pdf.cid_font(cid_font);
        font.subtype(CidFontType::Type2).base_font(base).system_info(IDENTITY).font_descriptor(descriptor);
        font.cid_to_gid_map_predefined(Name(b"Identity")).default_width(0.0);
        let widths = self.used.remapped_gids().map(|glyph| self.natural_advance(glyph));
        font.widths().consecutive(0, widths);
        font.finish();
        self.describe(pdf, descriptor, base, file);
        let mut map = UnicodeCmap::new(Name(b"Boxoffice-Unicode"), IDENTITY);
        for (&glyph, text) in &self.texts {
            map.pair_with_multiple(glyph, text.chars());
        }
        pdf.cmap(unicode, &map.finish());
        let subset = subsetter::subset(self.data, 0, &self.used).map_err(|_| DocumentError::Font)?;
        pdf.stream(file, &subset).pair(Name(b"Length1"), i32::try_from(subset.len()).unwrap_or(i32::MAX));
        Ok(())
    }

    /// Adds the measures of the whole font.
    fn describe(&self, pdf: &mut Pdf, id: Ref, name: Name<'_>, file: Ref) {
        let bounds = self.face.global_bounding_box();
        let [left, bottom, right, top] = [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max]
            .map(|units| self.thousandths(units.into()));
        pdf.font_descriptor(id)
            .name(name)
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(left, bottom, right, top))
            .italic_angle(0.0)
            .ascent(self.thousandths(self.face.ascender().into()))
            .descent(self.thousandths(self.face.descender().into()))
            .cap_height(self.thousandths(self.face.capital_height().unwrap_or(0).into()))
            .stem_v(80.0)
            .font_file2(file);
    }
}
