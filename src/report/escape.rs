//! Escapes text from outside for each format: nothing in it can act as mark-up or move the cursor.

use serde_json::Value;

/// For a terminal: each character that acts on it or turns the direction of text becomes its number.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) {
            plain.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        } else {
            plain.push(c);
        }
    }
    plain
}

/// JSON over several lines, to be pasted. The characters that [`plain`] replaces become escapes of JSON, which mean the
/// same.
pub(super) fn json(value: &Value) -> String {
    let mut json = String::new();
    for c in format!("{value:#}").chars() {
        if acts(c) && c != '\n' {
            json.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            json.push(c);
        }
    }
    json
}

/// For HTML, in text and in quoted attributes.
pub(crate) fn html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

/// For HTML. What stands between backticks becomes code.
pub(super) fn html_with_code(text: &str) -> String {
    with_code(text, html, |code| format!("<code>{}</code>", html(code)))
}

/// For a line or a cell of Markdown. What stands between backticks becomes code. A space of no width follows each `@` and
/// `#`, so that nobody is notified and nothing is linked.
pub(super) fn markdown(text: &str) -> String {
    let words = |text: &str| {
        let mut markdown = String::with_capacity(text.len());
        for c in html(text).chars() {
            match c {
                '\\' | '`' | '*' | '_' | '[' | ']' | '~' => markdown.extend(['\\', c]),
                '@' | '#' if !markdown.ends_with('&') => markdown.extend([c, '\u{200b}']),
                '|' => markdown.push_str("&#124;"),
                c => markdown.push(c),
            }
        }
        markdown
    };
    with_code(text, words, markdown_code)
}

/// For a line or a cell of Markdown. All of the text becomes code.
pub(super) fn markdown_code(text: &str) -> String {
    let escaped = html(text).replace('|', "&#124;").replace('`', "&#96;");
    // Markdown would act on its own signs within the element too.
    let escaped = escaped.replace('\\', "&#92;").replace('*', "&#42;").replace('_', "&#95;");
    format!("<code>{}</code>", escaped.replace('[', "&#91;").replace('~', "&#126;"))
}

fn with_code(text: &str, words: impl Fn(&str) -> String, code: impl Fn(&str) -> String) -> String {
    let mut parts = text.split('`');
    let mut out = words(parts.next().unwrap_or_default());
    while let Some(inside) = parts.next() {
        match parts.next() {
            Some(behind) => {
                out.push_str(&code(inside));
                out.push_str(&words(behind));
            }
            // A single backtick stands for itself.
            None => out.push_str(&words(&format!("`{inside}"))),
        }
    }
    out
}

/// Whether a character acts on a terminal or turns the direction of text.
fn acts(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor_or_turns_text() {
        assert_eq!(plain("a\u{1b}[31mb\nc\u{202e}d"), "a\\u{1b}[31mb\\u{a}c\\u{202e}d");
        assert_eq!(plain("Ärger ✔"), "Ärger ✔");
    }

    #[test]
    fn json_to_paste_means_the_same() {
        let value = serde_json::json!({ "Sid": "a\u{202e}b\u{7f}\n\u{1b}" });
        let text = json(&value);
        assert!(text.contains("a\\u202eb\\u007f\\n\\u001b"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn html_escapes_all_mark_up() {
        assert_eq!(html("<b a='1'>\"&"), "&lt;b a=&#39;1&#39;&gt;&quot;&amp;");
        assert_eq!(html_with_code("is `<x>` and ` alone"), "is <code>&lt;x&gt;</code> and ` alone");
    }

    #[test]
    fn markdown_escapes_all_mark_up() {
        assert_eq!(markdown("a|b *c* [d](e)"), "a&#124;b \\*c\\* \\[d\\](e)");
        assert_eq!(markdown("@ops #1 'x'"), "@\u{200b}ops #\u{200b}1 &#39;x&#39;");
        assert_eq!(markdown("role `a_b|<i>`"), "role <code>a&#95;b&#124;&lt;i&gt;</code>");
    }
}
