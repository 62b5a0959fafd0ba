//! Finds the mark-up in texts that were written for a web page: tags, comments, styles, scripts and
//! entities, also where all of it was escaped once more. A text is searched, compared and embedded
//! without it, and stored as it is given.

use std::borrow::Cow;

use quick_xml::escape::resolve_html5_entity;

/// The most bytes of a tag. A "<" that nothing closes is a sign of its own.
const TAG_BYTES_MAX: usize = 4_096;
const ENTITY_BYTES_MAX: usize = 34;

/// Tags that end a word.
const BLOCKS: [&str; 46] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "button",
    "caption",
    "center",
    "col",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "iframe",
    "img",
    "input",
    "li",
    "nav",
    "ol",
    "option",
    "p",
    "pre",
    "section",
    "select",
    "table",
    "tbody",
    "td",
    "th",
    "title",
    "tr",
    "ul",
];
/// Tags inside of words or between them.
const INLINES: [&str; 28] = [
    "a", "abbr", "b", "big", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "label",
    "link", "mark", "meta", "o:p", "q", "s", "small", "span", "strike", "strong", "sub", "sup",
    "tt", "u", "wbr",
];
/// Tags whose content is not for people.
const HIDDEN: [&str; 2] = ["style", "script"];

/// A part of a text that stands for something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) from: usize,
    pub(super) to: usize,
    /// What it stands for: a blank, nothing, or a character.
    pub(super) plain: Cow<'static, str>,
}

/// Returns the mark-up of a text in the order of its places.
pub(super) fn marks(text: &str) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find(['<', '&']) {
        let from = at + found;
        match mark_at(text, from) {
            Some(mark) => {
                at = mark.to;
                marks.push(mark);
            }
            None => at = from + 1,
        }
    }
    marks
}

/// A text without its mark-up.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '&']) {
        return Cow::Borrowed(text);
    }
    let marks = marks(text);
    if marks.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut at = 0;
    for mark in marks {
        plain.push_str(&text[at..mark.from]);
        plain.push_str(&mark.plain);
        at = mark.to;
    }
    plain.push_str(&text[at..]);
    Cow::Owned(plain.trim().to_owned())
}

fn mark_at(text: &str, from: usize) -> Option<Mark> {
    let rest = &text[from..];
    let mark = |length: usize, plain| Mark {
        from,
        to: from + length,
        plain,
    };
    if let Some((open, close)) = brackets(rest)
        && let Some((length, plain)) = tag(rest, open, close)
    {
        return Some(mark(length, Cow::Borrowed(plain)));
    }
    let (length, plain) = entity(rest)?;
    Some(mark(length, plain))
}

/// How a tag begins and ends here: by angle brackets, or by those that were escaped once more.
fn brackets(rest: &str) -> Option<(&'static str, &'static str)> {
    [("<", ">"), ("&lt;", "&gt;")]
        .into_iter()
        .find(|(open, _)| rest.starts_with(open))
}

/// The length of a tag or a comment, and what it stands for.
fn tag(rest: &str, open: &str, close: &str) -> Option<(usize, &'static str)> {
    let inner = &rest[open.len()..];
    if let Some(comment) = inner.strip_prefix("!--") {
        let end = comment.find(&format!("--{close}"))?;
        return Some((
            open.len() + "!--".len() + end + "--".len() + close.len(),
            " ",
        ));
    }
    let window = &inner[..inner.floor_char_boundary(TAG_BYTES_MAX.min(inner.len()))];
    let end = window.find(close)?;
    let content = &window[..end];
    if content.contains(open) {
        return None;
    }
    let length = open.len() + end + close.len();
    let name = content.strip_prefix('/').unwrap_or(content);
    let is_end = name.len() < content.len();
    let name = name
        .split(|c: char| c.is_whitespace() || c == '/')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    if HIDDEN.contains(&name.as_str()) {
        let hidden = if is_end {
            Some(0)
        } else {
            end_of(&rest[length..], &name, open, close)
        };
        return Some((length + hidden.unwrap_or(0), " "));
    }
    if BLOCKS.contains(&name.as_str()) || name == "!doctype" || name == "![cdata[" {
        Some((length, " "))
    } else {
        INLINES.contains(&name.as_str()).then_some((length, ""))
    }
}

/// The length of what an element hides, with the tag at its end.
fn end_of(rest: &str, name: &str, open: &str, close: &str) -> Option<usize> {
    let lower = rest.to_ascii_lowercase();
    let end = lower.find(&format!("{open}/{name}"))?;
    let closed = lower[end..].find(close)?;
    Some(end + closed + close.len())
}

/// The length of an entity, and the character that it stands for. One that does not break is a blank.
fn entity(rest: &str) -> Option<(usize, Cow<'static, str>)> {
    let window = &rest[..rest.floor_char_boundary(ENTITY_BYTES_MAX.min(rest.len()))];
    let end = window.find(';')?;
    let name = window[..end].strip_prefix('&')?;
    // "&amp;eacute;" was escaped once more.
    if name == "amp"
        && let Some((length, character)) = entity_again(&rest[end + 1..])
    {
        return Some((end + 1 + length, character));
    }
    Some((end + 1, character(name)?))
}

fn entity_again(rest: &str) -> Option<(usize, Cow<'static, str>)> {
    let window = &rest[..rest.floor_char_boundary(ENTITY_BYTES_MAX.min(rest.len()))];
    let end = window.find(';')?;
    Some((end + 1, character(&window[..end])?))
}

fn character(name: &str) -> Option<Cow<'static, str>> {
    let found: Cow<'static, str> = match name.strip_prefix('#') {
        None => Cow::Borrowed(resolve_html5_entity(name)?),
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            let c = char::from_u32(code)?;
            let is_blank = c.is_control();
            Cow::Owned(if is_blank { ' ' } else { c }.to_string())
        }
    };
    Some(match &*found {
        "\u{a0}" => Cow::Borrowed(" "),
        _ => found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let words = plain(text);
        let words: Vec<&str> = words.split_whitespace().collect();
        assert_eq!(words.join(" "), expected, "{text:?}");
    }

    #[test]
    fn mark_up_is_no_text() {
        check(
            "<p><strong>Compact</strong>&nbsp;drill</p><style>.kx-grid{color:red}</style>",
            "Compact drill",
        );
        check(
            "H<sub>2</sub>O<br/>pump<!-- old > text -->now",
            "H2O pump now",
        );
        check("<UL><LI>one<LI CLASS=\"x\">two</UL>", "one two");
        check("a<script type=\"x\">var b = 1 < 2;</script>c", "a c");
        check("a<style>b", "a b");
        check("&lt;p&gt;Caf&amp;eacute;&lt;/p&gt; bar", "Café bar");
        check("&#8364;5 &#x41;&#10;B", "€5 A B");
        check(
            "<a href=\"https://x.example/?a=1&amp;b=2\">here</a>",
            "here",
        );
    }

    #[test]
    fn what_only_looks_like_mark_up_stays() {
        for text in [
            "3 < 5 and 7 > 2",
            "a<b",
            "<unknown> tag",
            "<Müller>",
            "AT&T; R&D &copy &nosuch;",
            "x <p without an end",
            "<<p>",
            "I <3 you",
        ] {
            let expected = if text == "<<p>" { "<" } else { text };
            check(text, expected);
        }
        assert!(matches!(plain("plain"), Cow::Borrowed("plain")));
    }
}
