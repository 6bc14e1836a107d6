//! The catalogue: what relay ships, with the user's overlay laid upon it.

use std::collections::BTreeMap;

use super::check;
use super::file::ProviderFile;
use super::provider::Provider;
use super::reader::{File, Problem, Problems};

/// The files of `limits/` as they were when relay was built: id and text.
const SHIPPED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/limits.rs"));

/// Files read so far: by provider, where the last word came from, and all words together.
type Files = BTreeMap<String, (String, ProviderFile)>;

/// A file of the user's own that changes or adds one provider.
#[derive(Debug, Clone)]
pub struct Overlay {
    /// The provider's id: the file's name without its ending.
    pub id: String,
    /// How messages name the file.
    pub place: String,
    pub text: String,
}

/// Every provider that is not switched off, by id in alphabetical order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalog {
    pub providers: Vec<Provider>,
    /// Ids of providers that an overlay switched off.
    pub disabled: Vec<String>,
    /// Ids of providers whose files have mistakes.
    pub mistaken: Vec<String>,
    /// What is odd but stops nothing.
    pub warnings: Vec<String>,
}

impl Catalog {
    /// The shipped catalogue alone.
    pub fn shipped() -> Result<Self, Vec<Problem>> {
        Self::without_mistakes(SHIPPED, &[])
    }

    /// The shipped file of one provider.
    pub fn shipped_text(id: &str) -> Option<&'static str> {
        SHIPPED.iter().find(|(known, _)| *known == id).map(|(_, text)| *text)
    }

    /// The shipped catalogue with `overlays` laid upon it. A mistake costs the provider it is about, and no other.
    pub fn load(overlays: &[Overlay], problems: &Problems) -> Self {
        Self::merge(SHIPPED, overlays, problems)
    }

    /// A catalogue of these files and nothing else.
    pub fn only(files: &[Overlay]) -> Result<Self, Vec<Problem>> {
        Self::without_mistakes(&[], files)
    }

    fn without_mistakes(shipped: &[(&str, &str)], overlays: &[Overlay]) -> Result<Self, Vec<Problem>> {
        let problems = Problems::default();
        let catalog = Self::merge(shipped, overlays, &problems);
        let problems = problems.into_list();
        if problems.is_empty() { Ok(catalog) } else { Err(problems) }
    }

    fn merge(shipped: &[(&str, &str)], overlays: &[Overlay], problems: &Problems) -> Self {
        let mut catalog = Self::default();
        let mut files = BTreeMap::new();
        for (id, text) in shipped {
            let place = format!("limits/{id}.toml");
            if let Some(file) = (File { name: &place, text, provider: Some(id), problems }).read(ProviderFile::read) {
                files.insert((*id).to_owned(), (place, file));
            }
        }
        for overlay in overlays {
            catalog.lay_over(&mut files, overlay, problems);
        }
        for (id, (place, file)) in files {
            if file.enabled == Some(false) {
                catalog.disabled.push(id);
                continue;
            }
            match check::provider(&id, file, &place, problems) {
                Some(provider) if !problems.is_about(&id) => catalog.providers.push(provider),
                _ => catalog.mistaken.push(id),
            }
        }
        catalog
    }

    /// Whether anybody spoke of this provider, usable or not. What is written about it in files has its very name.
    pub fn knows(&self, id: &str) -> bool {
        let usable = self.providers.iter().map(|provider| &provider.id);
        usable.chain(&self.disabled).chain(&self.mistaken).any(|known| known == id)
    }

    fn lay_over(&mut self, files: &mut Files, overlay: &Overlay, problems: &Problems) {
        let Overlay { id, place, text } = overlay;
        let Some(mut file) = (File { name: place, text, provider: Some(id), problems }).read(ProviderFile::read) else {
            // What relay ships about it is then not what the user meant either.
            files.remove(id);
            self.mistaken.push(id.clone());
            return;
        };
        file.models.iter_mut().for_each(|model| model.is_chosen = true);
        match files.get_mut(&overlay.id) {
            Some((place, known)) => {
                known.merge(file);
                place.clone_from(&overlay.place);
            }
            None if file.enabled == Some(false) => {
                self.warnings.push(format!("{}: there is no provider `{}` to switch off", overlay.place, overlay.id));
            }
            None => {
                files.insert(overlay.id.clone(), (overlay.place.clone(), file));
            }
        }
    }

    /// The provider `id`, whatever its case.
    pub fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.id.eq_ignore_ascii_case(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::{Kind, Source};

    const BASE: &str = r#"
        name = "A"
        dialect = "openai"
        base_url = "https://a.example/v1/"
        key_env = ["A_API_KEY"]
        status = "free"
        [[limit]]
        requests = 40
        per = "minute"
        [[model]]
        id = "one"
        scale = "large"
        context = 8192
        features = ["tools"]
        limits = [{ requests = 30, per = "minute" }, { tokens = 8000, per = "minute" }]
        [[model]]
        id = "two"
        scale = "small"
        context = 4096
    "#;

    fn merged(overlay: &str) -> Result<Catalog, Vec<String>> {
        let overlay = Overlay { id: "a".to_owned(), place: "user/a.toml".to_owned(), text: overlay.to_owned() };
        Catalog::without_mistakes(&[("a", BASE)], &[overlay])
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_overlay_changes_single_fields_and_replaces_lists() {
        let catalog = merged("base_url = \"http://127.0.0.1:9/v1\"\n[[model]]\nid = \"one\"\nlimits = [{ requests = 5, per = \"minute\", source = \"user\" }]\n").expect("valid");
        let provider = catalog.provider("A").expect("found whatever the case");
        assert_eq!(
            (provider.base_url.as_str(), provider.name.as_str(), provider.models.len()),
            ("http://127.0.0.1:9/v1", "A", 2)
        );
        let limits = &provider.models[0].limits;
        assert_eq!(
            (limits.len(), limits[0].kind, limits[0].amount, limits[0].source),
            (1, Kind::Requests, 5, Source::User)
        );
        assert_eq!((provider.models[0].context, provider.limits.len()), (8192, 1));
    }

    #[test]
    fn a_model_wants_what_its_provider_wants_and_otherwise_what_its_own_table_says() {
        let catalog = merged("[wire]\nflatten = true\nnull_content = false\n[[model]]\nid = \"one\"\nwire = { strict_order = true, flatten = false }\n").expect("valid");
        let provider = &catalog.providers[0];
        let wires = ["one", "two"].map(|id| {
            let wire = provider.wire_of(provider.models.iter().find(|model| model.id == id).expect("a model"));
            (wire.strict_order, wire.flatten, wire.null_content)
        });
        assert_eq!(wires, [(true, false, false), (false, true, false)]);
    }

    #[test]
    fn replace_models_keeps_only_what_the_overlay_names() {
        let catalog = merged("replace_models = true\n[[model]]\nid = \"two\"\n[[model]]\nid = \"three\"\nscale = \"small\"\ncontext = 10\n").expect("valid");
        let provider = &catalog.providers[0];
        let ids: Vec<&str> = provider.models.iter().map(|model| model.id.as_str()).collect();
        assert_eq!((ids, provider.limits.len()), (vec!["two", "three"], 0));
    }

    #[test]
    fn switching_off_works_for_models_providers_and_warns_for_strangers() {
        assert_eq!(merged("[[model]]\nid = \"two\"\nenabled = false\n").expect("valid").providers[0].models.len(), 1);
        assert_eq!(merged("enabled = false\n").expect("valid").disabled, ["a"]);
        let stranger = Overlay { id: "b".to_owned(), place: "b.toml".to_owned(), text: "enabled = false".to_owned() };
        assert_eq!(Catalog::without_mistakes(&[], &[stranger]).expect("valid").warnings.len(), 1);
    }

    #[test]
    fn every_mistake_of_a_file_is_reported() {
        let problems = merged("statsu = \"free\"\nbase_url = \"http://a.example\"\n[[model]]\nid = \"three\"\nlimits = [{ requests = 9, per = \"minute\" }, { requests = 3, per = \"day\" }]\n").expect_err("refused");
        let all = problems.join("\n");
        for part in [
            "a.toml:1: `statsu` is not known here (did you mean `status`?)",
            "must be https",
            "model `three`: `context` is missing",
        ] {
            assert!(all.contains(part), "{part} in:\n{all}");
        }
        let inverted = merged(
            "[[model]]\nid = \"two\"\nlimits = [{ requests = 9, per = \"minute\" }, { requests = 3, per = \"day\" }]\n",
        )
        .expect_err("refused");
        assert!(inverted[0].contains("9 requests/minute allows more than 3 requests/day"), "{inverted:?}");
    }
}
