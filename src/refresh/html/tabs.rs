//! Which tab a panel belongs to: by what the page says of both, else by their order where every tab has its panel.

/// A tab of a page.
#[derive(Debug, Default)]
pub struct Tab {
    pub id: Option<String>,
    /// The id of its panel.
    pub controls: Option<String>,
    pub is_selected: bool,
    pub title: String,
}

/// The tabs read so far.
#[derive(Debug)]
pub struct Tabs {
    all: Vec<Tab>,
    /// Where the newest group of tabs begins: a tab behind a panel begins another.
    group: usize,
    /// How many panels the group has had.
    panels: usize,
    /// A page may hold the panel of the selected tab alone, and get the others when they are asked for.
    has_all_panels: bool,
}

impl Tabs {
    pub const fn new(has_all_panels: bool) -> Self {
        Self { all: Vec::new(), group: 0, panels: 0, has_all_panels }
    }

    pub fn add(&mut self, tab: Tab) {
        if self.panels > 0 {
            (self.group, self.panels) = (self.all.len(), 0);
        }
        self.all.push(tab);
    }

    /// The title of the next panel; none where nothing says which tab it belongs to.
    pub fn title(&mut self, id: Option<&str>, labelled_by: Option<&str>) -> Option<String> {
        let group = &self.all[self.group..];
        let named = |tab: &&Tab| {
            let is_label = labelled_by.is_some() && tab.id.as_deref() == labelled_by;
            is_label || (id.is_some() && tab.controls.as_deref() == id)
        };
        let by_place = || {
            if self.has_all_panels {
                return group.get(self.panels);
            }
            group.iter().find(|tab| tab.is_selected).filter(|_| self.panels == 0)
        };
        let title = self.all.iter().find(named).or_else(by_place).map(|tab| tab.title.clone());
        self.panels += 1;
        title
    }
}
