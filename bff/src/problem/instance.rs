//! The path of a request as a reference to itself. A client may send what no URI has; what is answered is one.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns the path as a URI reference (RFC 3986): what cannot stand in one is escaped.
pub(super) fn reference(path: &str) -> Cow<'_, str> {
    // Two slashes at the beginning would name another host.
    let is_path = !path.starts_with("//");
    let bytes = path.as_bytes();
    if is_path && (0..bytes.len()).all(|at| is_allowed(bytes, at)) {
        return Cow::Borrowed(path);
    }
    let mut reference = String::with_capacity(path.len() + 16);
    if !is_path {
        reference.push_str("/.");
    }
    for (at, byte) in bytes.iter().enumerate() {
        if is_allowed(bytes, at) {
            reference.push(char::from(*byte));
        } else {
            let _ = write!(reference, "%{byte:02X}");
        }
    }
    Cow::Owned(reference)
}

/// Whether the byte may stand in a path: of a percent sign, if two hexadecimal digits follow.
fn is_allowed(bytes: &[u8], at: usize) -> bool {
    match bytes[at] {
        b'%' => {
            let digits = bytes.get(at + 1..at + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        }
        byte => byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_uri_has_is_escaped() {
        let check = |path, expected: &str| assert_eq!(reference(path), expected);
        for same in [
            "/api/products/a-1",
            "/api/products:batch",
            "/%20/%aF/@~",
            "*",
            "",
        ] {
            check(same, same);
        }
        check("/api/products/%", "/api/products/%25");
        check("/api/products/%2", "/api/products/%252");
        check("/%zz/%%41", "/%25zz/%25%41");
        check("/{a}|\\^`<\"[é", "/%7Ba%7D%7C%5C%5E%60%3C%22%5B%C3%A9");
        check("//other.example/a", "/.//other.example/a");
    }
}
