//! Breaks text into lines and lines into runs of one direction.

/// The most characters of one text that are printed; no page has room for more.
const MAX_CHARS: usize = 600;

/// A part of a line that is written in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// The text, in the order in which it is read.
    pub text: String,
    /// Whether it is written from right to left.
    pub rtl: bool,
}

/// The text in lines no wider than `fits` allows, at most `max_lines`; an ellipsis stands for the rest.
///
/// Lines break at white space, and within a word that is wider than a line.
pub(super) fn wrap(text: &str, max_lines: usize, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_CHARS).collect();
    for word in text.split_whitespace() {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if fits(&longer) {
            line = longer;
            continue;
        }
        lines.extend((!line.is_empty()).then(|| std::mem::take(&mut line)));
        for c in word.chars() {
            line.push(c);
            if line.len() > c.len_utf8() && !fits(&line) {
                line.pop();
                lines.push(std::mem::replace(&mut line, c.to_string()));
            }
        }
    }
    lines.extend((!line.is_empty()).then_some(line));
    if lines.len() > max_lines {
        lines.truncate(max_lines);
        if let Some(last) = lines.last_mut() {
            shorten(last, fits);
        }
    }
    lines
}

/// Ends a line with an ellipsis that still fits.
fn shorten(line: &mut String, fits: impl Fn(&str) -> bool) {
    while !line.is_empty() && !fits(&format!("{line}…")) {
        line.pop();
    }
    line.truncate(line.trim_end().len());
    line.push('…');
}

/// The runs of a line from left to right.
///
/// This is the part of the Unicode bidirectional algorithm (UAX 9) that names and titles need: what
/// stands between two letters of one direction goes with them, numbers read from left to right, and
/// everything else goes with the line.
pub(super) fn runs(line: &str) -> Vec<Run> {
    let chars: Vec<char> = line.chars().collect();
    let line_rtl = chars.iter().copied().find_map(direction).unwrap_or(false);
    let mut runs: Vec<Run> = Vec::new();
    let mut last = None;
    for (index, &c) in chars.iter().enumerate() {
        let rtl = direction(c).unwrap_or_else(|| {
            let next = || chars[index..].iter().copied().find_map(direction);
            match last {
                _ if in_number(&chars, index) => false,
                Some(last) if next() == Some(last) => last,
                _ => line_rtl,
            }
        });
        last = direction(c).or(last);
        match runs.last_mut() {
            Some(run) if run.rtl == rtl => run.text.push(c),
            _ => runs.push(Run { text: c.to_string(), rtl }),
        }
    }
    if line_rtl {
        runs.reverse();
    }
    runs
}

/// Whether a character is a digit or stands between two, as in 19:30.
fn in_number(chars: &[char], index: usize) -> bool {
    let digit = |index: usize| chars.get(index).is_some_and(|c| c.is_numeric());
    let between = index > 0 && digit(index - 1) && digit(index + 1);
    digit(index) || (between && !chars[index].is_whitespace())
}

/// Whether a letter is written from right to left; `None` for what follows its neighbours.
fn direction(c: char) -> Option<bool> {
    match c {
        _ if c.is_numeric() => None,
        // Hebrew, Arabic, Syriac, Thaana, NKo and their presentation forms.
        '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFE}' => Some(true),
        _ => c.is_alphabetic().then_some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, max_lines: usize, width: usize) -> Vec<String> {
        wrap(text, max_lines, |line| line.chars().count() <= width)
    }

    #[test]
    fn lines_break_at_spaces_and_within_long_words() {
        assert_eq!(wrapped("one two\tthree\r\nfour", 9, 8), ["one two", "three", "four"]);
        assert_eq!(wrapped("a Donaudampfschiff", 9, 6), ["a", "Donaud", "ampfsc", "hiff"]);
        assert_eq!(wrapped("one two three four", 2, 8), ["one two", "three…"]);
        assert_eq!(wrapped("abcdefghij", 1, 4), ["abc…"]);
        assert_eq!(wrapped(" \u{0} ", 2, 8), [""; 0]);
        assert_eq!(wrapped("abc", 2, 0), ["a", "…"], "nothing fits, yet it ends");
    }

    #[test]
    fn runs_have_one_direction() {
        let shown = |line| runs(line).into_iter().map(|run| (run.text, run.rtl)).collect::<Vec<_>>();
        assert_eq!(shown("a b, 1"), [("a b, 1".to_owned(), false)]);
        assert_eq!(shown("שלום עולם!"), [("שלום עולם!".to_owned(), true)]);
        assert_eq!(
            shown("Live: שלום עולם 2026"),
            [("Live: ".into(), false), ("שלום עולם".into(), true), (" 2026".into(), false)]
        );
        assert_eq!(shown("שלום 2026"), [("2026".into(), false), ("שלום ".into(), true)]);
        assert_eq!(
            shown("שלום 2026 (live)"),
            [
                (")".into(), true),
                ("live".into(), false),
                (" (".into(), true),
                ("2026".into(), false),
                ("שלום ".into(), true)
            ]
        );
        assert_eq!(shown("א 19:30")[0], ("19:30".to_owned(), false));
        assert_eq!(shown(""), []);
    }
}
