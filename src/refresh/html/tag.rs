//! One tag of a page: its name, its attributes, and whether they hide it.

/// A tag longer than this is no tag.
const MOST_TAG: usize = 8_192;

/// One tag.
pub struct Tag<'a> {
    pub name: String,
    pub is_end: bool,
    pub is_empty: bool,
    attributes: &'a str,
}

impl<'a> Tag<'a> {
    /// The inside of `<…>`; none where no name stands.
    pub fn read(inside: &'a str) -> Option<Self> {
        let (is_end, inside) = inside.strip_prefix('/').map_or((false, inside), |rest| (true, rest));
        let end = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(inside.len());
        let is_name = inside.starts_with(|c: char| c.is_ascii_alphabetic());
        let is_empty = inside.ends_with('/');
        is_name.then(|| Self {
            name: inside[..end].to_ascii_lowercase(),
            is_end,
            is_empty,
            attributes: inside[end..].trim_end_matches('/'),
        })
    }

    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            if rest.is_empty() {
                return None;
            }
            let end = rest.find(|c: char| c.is_whitespace() || c == '=' || c == '/').unwrap_or(rest.len()).max(1);
            let end = rest.ceil_char_boundary(end);
            let (key, after) = rest.split_at(end);
            let (value, after) = value(after);
            if key.eq_ignore_ascii_case(name) {
                return Some(value);
            }
            rest = after;
        }
    }

    /// Whether its text is struck by its style, or by a class of the common style sheets.
    pub fn is_struck(&self) -> bool {
        let says = |name| self.attribute(name).is_some_and(|value: &str| value.contains("line-through"));
        says("style") || says("class") || self.attribute("class").is_some_and(|class| class.contains("strikethrough"))
    }

    pub fn is_hidden(&self) -> bool {
        let style = self.attribute("style").unwrap_or_default().to_ascii_lowercase().replace(' ', "");
        self.attribute("hidden").is_some_and(|value| !value.eq_ignore_ascii_case("false"))
            || self.attribute("role") == Some("tooltip")
            || self.attribute("aria-hidden").is_some_and(|value| value == "true")
            || style.contains("display:none")
            || style.contains("visibility:hidden")
            || style.contains("line-through")
            || self.attribute("class").is_some_and(is_hidden_by)
            || self.name == "dialog" && self.attribute("open").is_none()
    }
}

/// Whether a tag has this name: `</span>` does not end `<s>`.
pub fn begins_with_name(tag: &str, name: &str) -> bool {
    let Some((own, rest)) = tag.as_bytes().split_at_checked(name.len()) else { return false };
    own.eq_ignore_ascii_case(name.as_bytes())
        && !rest.first().is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'-')
}

/// Whether the classes of the common style sheets hide an element, or strike its text. On a wider screen another of them may show it.
fn is_hidden_by(classes: &str) -> bool {
    const HIDE: [&str; 5] = ["hidden", "d-none", "line-through", "text-decoration-line-through", "strikethrough"];
    const SHOW: [&str; 6] = ["block", "flex", "grid", "table", "inline", "contents"];
    let shows = |class: &str| {
        let wide = class.rsplit_once(':').or_else(|| class.strip_prefix("d-").and_then(|class| class.split_once('-')));
        wide.is_some_and(|(_, kind)| SHOW.iter().any(|show| kind.starts_with(show)))
    };
    classes.split_whitespace().any(|class| HIDE.contains(&class)) && !classes.split_whitespace().any(shows)
}

/// The value behind an attribute's name, and what follows it.
fn value(after: &str) -> (&str, &str) {
    let Some(rest) = after.trim_start().strip_prefix('=') else { return ("", after) };
    let rest = rest.trim_start();
    for quote in ['"', '\''] {
        if let Some(quoted) = rest.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    rest.split_at(end)
}

/// Where the tag that `rest` begins with ends: at the first `>` outside quotes.
pub fn tag_end(rest: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate().take(MOST_TAG) {
        match (byte, quote) {
            (b'>', None) => return Some(at),
            (b'"' | b'\'', None) => quote = Some(byte),
            (_, Some(open)) if open == byte => quote = None,
            _ => {}
        }
    }
    memchr::memchr(b'>', rest.as_bytes())
}

pub fn is_void(name: &str) -> bool {
    ["br", "hr", "img", "input", "link", "meta", "col", "wbr", "source", "area", "base", "embed", "track", "param"]
        .contains(&name)
}
