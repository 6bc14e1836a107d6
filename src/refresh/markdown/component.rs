//! Tags of components in MDX, and of blocks in template languages: which of them are tabs, and how they are titled.

/// How a tab begins in containers of `:::`: `@tab Free`.
const MARKED_TAB: &str = "@tab";

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
        if let Some(title) = line.strip_prefix(MARKED_TAB) {
            let title = title.strip_prefix(":active").unwrap_or(title).trim().to_owned();
            let (name, kind) = (MARKED_TAB.to_owned(), "tab".to_owned());
            return Some(Self {
                name,
                kind,
                is_end: false,
                is_empty: false,
                title: Some(title),
                titles: None,
                rest: "",
            });
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

    /// `:::details Free plan`, `:::tip[Free plan]`, `:::{tab-item} Free plan`, or the `:::` that ends the last of them.
    fn container(inside: &'a str) -> Self {
        let named = inside.trim_start_matches('{');
        let end = named.find(|c: char| !c.is_alphanumeric() && c != '-').unwrap_or(named.len());
        let (kind, title) = (named[..end].to_ascii_lowercase(), named[end..].trim_matches(['[', ']', '}', ' ', '"']));
        let title = (!title.is_empty()).then(|| title.to_owned());
        Self { name: ":::".to_owned(), kind, is_end: inside.is_empty(), is_empty: false, title, titles: None, rest: "" }
    }

    /// Whether every one of its kind has an end, tab or not.
    pub fn is_container(&self) -> bool {
        self.name == ":::"
    }

    /// Whether what stands inside it has a title of its own.
    pub fn is_tab(&self) -> bool {
        const FOLDS: [&str; 7] =
            ["accordion", "accordionitem", "expandable", "details", "panel", "collapsible", "card"];
        self.is_one_of_several() || FOLDS.contains(&self.last().as_str())
    }

    /// Whether it is one of those that a reader chooses from.
    pub fn is_one_of_several(&self) -> bool {
        ["tab", "tabitem", "tabpanel"].contains(&self.last().as_str())
    }

    fn last(&self) -> String {
        self.kind.rsplit('.').next().unwrap_or_default().replace('-', "")
    }

    /// `@tab` has no end but the next one, or that of the group around it.
    pub fn ends_one_before(&self) -> bool {
        self.name == MARKED_TAB
    }
}

/// The texts in quotes: `'Free', "Pro"`.
fn quoted(items: &str) -> Vec<String> {
    let texts = items.split(',').map(|item| item.trim().trim_matches(['"', '\'', '`']).to_owned());
    texts.filter(|text| !text.is_empty()).collect()
}
