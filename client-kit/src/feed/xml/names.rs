//! The names of elements, with the one prefix that means something: Google's is written `g:`.

/// The namespace of Google's product feeds.
const GOOGLE: &[u8] = b"http://base.google.com/ns/1.0";
pub(super) const GOOGLE_PREFIX: &str = "g:";
/// The most prefixes that stand for it: every name is compared with them.
const PREFIXES_MAX: usize = 16;

/// Which prefixes stand for Google's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// A prefix with its colon; empty for names without one.
    google: Vec<String>,
}

impl Names {
    pub(super) fn has_google(&self) -> bool {
        !self.google.is_empty()
    }

    /// Reads the namespaces that a start tag declares.
    pub(super) fn declare(&mut self, tag: &[u8]) {
        let mut rest = tag;
        while let Some(place) = find(rest, GOOGLE) {
            let before = rest[..place].trim_ascii_end();
            rest = &rest[place + GOOGLE.len()..];
            let is_whole = matches!(rest.first(), Some(b'"' | b'\'' | b'/'));
            let before = before
                .strip_suffix(b"\"")
                .or_else(|| before.strip_suffix(b"'"));
            let Some(before) = before.filter(|_| is_whole) else {
                continue;
            };
            let before = before.trim_ascii_end();
            let Some(before) = before.strip_suffix(b"=") else {
                continue;
            };
            let before = before.trim_ascii_end();
            let start = before.iter().rposition(u8::is_ascii_whitespace);
            let attribute = &before[start.map_or(0, |start| start + 1)..];
            let prefix = match attribute.strip_prefix(b"xmlns") {
                Some(b"") => String::new(),
                Some([b':', prefix @ ..]) => format!("{}:", String::from_utf8_lossy(prefix)),
                _ => continue,
            };
            if self.google.len() < PREFIXES_MAX && !self.google.contains(&prefix) {
                self.google.push(prefix);
            }
        }
    }

    /// The name of an element as feeds of Google write it.
    pub(super) fn written(&self, name: &str) -> String {
        for prefix in &self.google {
            match name.strip_prefix(prefix.as_str()) {
                Some(local) if !local.contains(':') => return format!("{GOOGLE_PREFIX}{local}"),
                _ => {}
            }
        }
        name.to_owned()
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
