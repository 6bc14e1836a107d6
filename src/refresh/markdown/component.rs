//! Tags of components in MDX, and of blocks in template languages: which of them are tabs, and how they are titled.

/// A line that begins with the tag of a component.
pub struct Component<'a> {
    /// What its end is named by.
    pub name: String,
    /// What it is.
    kind: String,
    pub is_end: bool,
    pub is_empty: bool,
    pub title: Option<String>,
    /// The titles of the tabs in it, where it names them: `<Tabs items={['Free', 'Pro']}>`.
    pub titles: Option<Vec<String>>,
    /// What stands behind the tag.
    pub rest: &'a str,
}

impl<'a> Component<'a> {
    pub fn read(line: &'a str) -> Option<Self> {
        if let Some(inside) = line.strip_prefix(":::") {
            return Some(Self::container(inside.trim_start_matches(':').trim()));
        }
        // `{% tab title="Free" %}` and `{{< tab "Free" >}}` are the same in other languages.
        let languages = [("{% ", "%}"), ("{{< ", ">}}"), ("{{% ", "%}}"), ("<", ">")];
        let (inside, rest) = languages.iter().find_map(|(open, shut)| line.strip_prefix(open)?.split_once(shut))?;
        let (is_end, inside) = match inside.trim_start().strip_prefix('/').or_else(|| inside.strip_prefix("end")) {
            Some(rest) => (true, rest.trim_start()),
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
        let title = title.or_else(|| inside[end..].trim().strip_prefix('"')?.split('"').next().map(str::to_owned));
        let kind = name.clone();
        let titles = inside.split_once("items={[").and_then(|(_, items)| Some(quoted(items.split_once("]}")?.0)));
        let is_empty = inside.trim_end().ends_with('/');
        (!name.is_empty()).then_some(Self { name, kind, is_end, is_empty, title, titles, rest })
    }

    /// `:::details Free plan`, `:::tip[Free plan]`, or the `:::` that ends the last of them.
    fn container(inside: &'a str) -> Self {
        let end = inside.find(|c: char| !c.is_alphanumeric() && c != '-').unwrap_or(inside.len());
        let (kind, title) = (inside[..end].to_ascii_lowercase(), inside[end..].trim_matches(['[', ']', ' ', '"']));
        let title = (!title.is_empty()).then(|| title.to_owned());
        Self { name: ":::".to_owned(), kind, is_end: inside.is_empty(), is_empty: false, title, titles: None, rest: "" }
    }

    /// Whether every one of its kind has an end, tab or not.
    pub fn is_container(&self) -> bool {
        self.name == ":::"
    }

    /// Whether what stands inside it is one of several, by its title.
    pub fn is_tab(&self) -> bool {
        let last = self.kind.rsplit('.').next().unwrap_or_default();
        ["tab", "tabitem", "tabpanel", "accordion", "accordionitem", "expandable", "details", "panel", "collapsible"]
            .contains(&last)
    }
}

/// The texts in quotes: `'Free', "Pro"`.
fn quoted(items: &str) -> Vec<String> {
    let texts = items.split(',').map(|item| item.trim().trim_matches(['"', '\'', '`']).to_owned());
    texts.filter(|text| !text.is_empty()).collect()
}
