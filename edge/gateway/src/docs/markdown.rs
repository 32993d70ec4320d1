//! As much of Markdown as the error pages use: headings, paragraphs, lists and code.

use super::html::{escape, prose};

/// A list or a paragraph that goes on.
#[derive(PartialEq)]
enum Open {
    Nothing,
    Paragraph,
    List,
    Code,
}

/// Renders Markdown. What it does not know is text.
pub(crate) fn render(markdown: &str) -> String {
    let mut html = String::new();
    let mut open = Open::Nothing;
    for line in markdown.lines() {
        if line.starts_with("```") {
            let starts = open != Open::Code;
            switch(&mut html, &mut open, if starts { Open::Code } else { Open::Nothing });
        } else if open == Open::Code {
            html.push_str(&escape(line));
            html.push('\n');
        } else if line.trim().is_empty() {
            switch(&mut html, &mut open, Open::Nothing);
        } else if let Some((level, text)) = heading(line) {
            switch(&mut html, &mut open, Open::Nothing);
            html.push_str(&format!("<h{level}>{}</h{level}>", prose(text)));
        } else if let Some(item) = line.strip_prefix("- ") {
            switch(&mut html, &mut open, Open::List);
            html.push_str(&format!("<li>{}", prose(item)));
        } else {
            if open == Open::Nothing {
                switch(&mut html, &mut open, Open::Paragraph);
            } else {
                html.push(' ');
            }
            html.push_str(&prose(line.trim()));
        }
    }
    switch(&mut html, &mut open, Open::Nothing);
    html
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    (1..=3).contains(&level).then(|| text.strip_prefix(' ').map(|text| (level, text)))?
}

fn switch(html: &mut String, open: &mut Open, next: Open) {
    if *open == Open::List && next == Open::List {
        html.push_str("</li>");
        return;
    }
    html.push_str(match open {
        Open::Nothing => "",
        Open::Paragraph => "</p>",
        Open::List => "</li></ul>",
        Open::Code => "</code></pre>",
    });
    html.push_str(match next {
        Open::Nothing => "",
        Open::Paragraph => "<p>",
        Open::List => "<ul>",
        Open::Code => "<pre><code>",
    });
    *open = next;
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn headings_paragraphs_lists_and_code() {
        let html = render("# `a`\n\nOne\ntwo.\n- x\n- y <z>\n  goes on\n\n```\n<pre>\n```\nEnd");
        let expected = "<h1><code>a</code></h1><p>One two.</p><ul><li>x</li><li>y &lt;z&gt; goes on</li></ul>\
                        <pre><code>&lt;pre&gt;\n</code></pre><p>End</p>";
        assert_eq!(html, expected);
    }
}
