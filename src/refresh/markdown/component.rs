//! Tags of components in MDX, and of blocks in template languages: which of them are tabs, and how they are titled.

/// A line that begins with the tag of a component.
pub struct Component<'a> {
    pub name: String,
    pub is_end: bool,
    pub is_empty: bool,
    pub title: Option<String>,
    /// What stands behind the tag.
    pub rest: &'a str,
}

impl<'a> Component<'a> {
    pub fn read(line: &'a str) -> Option<Self> {
        // `{% tab title="Free" %}` is the same in another language.
        let (inside, rest) = match line.strip_prefix("{% ") {
            Some(tag) => tag.split_once("%}")?,
            None => line.strip_prefix('<')?.split_once('>')?,
        };
        let (is_end, inside) = match inside.strip_prefix('/').or_else(|| inside.strip_prefix("end")) {
            Some(rest) => (true, rest),
            None => (false, inside),
        };
        let end = inside.find(|c: char| !c.is_alphanumeric() && c != '.' && c != '-').unwrap_or(inside.len());
        let name = inside[..end].to_ascii_lowercase();
        let title = ["title=", "label=", "header=", "summary=", "name=", "value="].iter().find_map(|key| {
            let value = inside.split_once(key)?.1;
            let quote = value.chars().next().filter(|quote| ['"', '\'', '{'].contains(quote))?;
            let close = if quote == '{' { '}' } else { quote };
            let value = value[1..].split(close).next()?.trim_matches(['"', '\'', '`']);
            Some(value.to_owned())
        });
        (!name.is_empty()).then(|| Self { name, is_end, is_empty: inside.trim_end().ends_with('/'), title, rest })
    }

    /// Whether what stands inside it is one of several, by its title.
    pub fn is_tab(&self) -> bool {
        let last = self.name.rsplit('.').next().unwrap_or_default();
        ["tab", "tabitem", "tabpanel", "accordion", "accordionitem", "expandable", "details", "panel", "collapsible"]
            .contains(&last)
    }
}
