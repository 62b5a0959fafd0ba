//! Texts and names of columns in messages, which stay short.

/// Cuts a text to a length that fits a message.
pub(in crate::feed) fn shorten(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 80;
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// The names of columns in a message: the first, and how many more there are.
pub(in crate::feed) fn listed(names: &[String]) -> String {
    const SHOWN_CHARS_MAX: usize = 300;
    let mut text = String::new();
    for (at, name) in names.iter().enumerate() {
        let name = shorten(name);
        if at > 0 && text.chars().count() + name.chars().count() > SHOWN_CHARS_MAX {
            return format!("{text} and {} more", names.len() - at);
        }
        if at > 0 {
            text.push_str(", ");
        }
        text.push_str(&name);
    }
    text
}

/// A text as a word of a shell's command.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
