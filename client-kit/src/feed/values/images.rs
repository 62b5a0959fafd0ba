//! Addresses of images: what the catalog takes, and what has one meaning in another writing.

use crate::feed::values::shown::shorten;

/// The longest address that the catalog takes, in bytes.
const BYTES_MAX: usize = 2_000;
/// What no address has as it is, besides blanks and control characters.
const UNSAFE: &str = "<>\"\\^`{|}";

/// The address of an image as the catalog takes it. The error says why it is left out.
pub(crate) fn image_address(text: &str) -> Result<String, String> {
    let left_out = |why: &str| format!("{:?} is left out: {why}", shorten(text));
    if has_several(text) {
        return Err(left_out(
            "it has several addresses, and an image one: --map image_url=COLUMN names a column of one",
        ));
    }
    let address = address(text).ok_or_else(|| {
        left_out("an image has an address of http or https, such as https://shop.example/a.jpg")
    })?;
    if address.len() > BYTES_MAX {
        let why = format!("an address has {BYTES_MAX} bytes at most");
        return Err(left_out(&why));
    }
    Ok(address)
}

/// Whether an address stands behind a sign that separates it from another one.
fn has_several(text: &str) -> bool {
    let mut places = text.match_indices("//");
    places.any(|(place, _)| {
        let before = &text[..place];
        let before = ["https:", "http:"]
            .iter()
            .find_map(|scheme| {
                let start = before.len().checked_sub(scheme.len())?;
                let (rest, end) = before.split_at_checked(start)?;
                end.eq_ignore_ascii_case(scheme).then_some(rest)
            })
            .unwrap_or(before);
        let is_separated =
            before.ends_with(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|'));
        is_separated && before.contains("//")
    })
}

/// An address without a scheme is that of the page around it, which is https today. The letter case of a scheme
/// means nothing, and what cannot stand in an address is written in percent.
fn address(text: &str) -> Option<String> {
    let (scheme, rest) = match text.strip_prefix("//") {
        Some(rest) => ("https".to_owned(), rest),
        None => {
            let (scheme, rest) = text.split_once("://")?;
            (scheme.to_ascii_lowercase(), rest)
        }
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let is_clean = |c: char| !c.is_whitespace() && !c.is_control() && !UNSAFE.contains(c);
    let is_web = matches!(&*scheme, "http" | "https");
    // A backslash is a slash to some programs.
    let is_open = |c: char| c.is_control() || c == '\\';
    if !is_web || host.is_empty() || !host.chars().all(is_clean) || path.contains(is_open) {
        return None;
    }
    let mut address = format!("{scheme}://{host}");
    for c in path.chars() {
        if is_clean(c) {
            address.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            address.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(address)
}
