//! A local provider with the models its server has in the place of the shipped list.

use crate::chat::Features;
use crate::dialect::installed::{Details, Installed, without_latest};

use super::infer;
use super::provider::{Model, ModelType, Provider, Scale};

/// The context of a model about which nothing is known: what servers give where nobody asks for more (2026-08).
const UNKNOWN_CONTEXT: u64 = 4096;

impl Provider {
    /// Whether the user's file names the models to be used, so that the server's list says nothing.
    pub fn has_chosen_models(&self) -> bool {
        !self.models.is_empty() && self.models.iter().all(|model| model.is_chosen)
    }

    /// This provider with the models found on its server. Those the user's file names stay as it says, found or not;
    /// those it switches off, those that cannot chat and those that run elsewhere stay away.
    #[must_use]
    pub fn with_installed(&self, found: &[(Installed, Option<Details>)]) -> Self {
        let chosen = self.models.iter().filter(|model| model.is_chosen);
        let mut models: Vec<Model> = chosen.cloned().collect();
        for (installed, details) in found {
            let is_same = |id: &str| without_latest(id) == installed.id;
            let is_settled =
                models.iter().any(|model| is_same(&model.id)) || self.left_out.iter().any(|id| is_same(id));
            if is_settled || installed.is_remote {
                continue;
            }
            let shipped = self.models.iter().find(|model| is_same(&model.id));
            models.extend(match (details, shipped) {
                (None, Some(shipped)) => Some(shipped.clone()),
                _ => model(installed, details.as_ref()),
            });
        }
        Self { models, ..self.clone() }
    }
}

/// What is known of a model on a server; `None` when it does not chat.
fn model(installed: &Installed, details: Option<&Details>) -> Option<Model> {
    let unknown =
        Details { context: None, parameters: None, chats: true, has_tools: false, has_vision: false, thinks: false };
    let details = details.unwrap_or(&unknown);
    details.chats.then(|| Model {
        id: installed.id.clone(),
        types: types(&installed.id, details),
        scale: scale(&installed.id, details.parameters.or(installed.parameters)),
        context: details.context.filter(|context| *context > 0).unwrap_or(UNKNOWN_CONTEXT),
        // Answers are held to a grammar while they are made, so every model keeps to JSON and to a schema.
        features: Features {
            tools: details.has_tools,
            vision: details.has_vision,
            reasoning: details.thinks,
            json: true,
            schema: true,
            ..Features::default()
        },
        limits: Vec::new(),
        wire: None,
        unit_price: None,
        has_own_context: false,
        is_chosen: false,
    })
}

/// By its name; whether it chats and sees is the server's word.
fn types(id: &str, details: &Details) -> Vec<ModelType> {
    let mut types = infer::types(id);
    types.retain(|kind| kind.chats() && *kind != ModelType::Vision);
    if types.is_empty() {
        types.push(ModelType::Text);
    }
    if details.has_vision {
        types.push(ModelType::Vision);
    }
    types
}

/// By its parameters, else by its name. Of whom nobody knows more, it is small: it runs on this machine.
fn scale(id: &str, billions: Option<f64>) -> Scale {
    billions.map(infer::of_billions).or_else(|| infer::scale(id)).unwrap_or(Scale::Small)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, Overlay};

    fn provider(file: &str) -> Provider {
        let shipped = "dialect = \"openai\"\nbase_url = \"http://127.0.0.1:9\"\nstatus = \"local\"\n";
        let file = Overlay { id: "a".to_owned(), place: "a.toml".to_owned(), text: format!("{shipped}{file}") };
        Catalog::only(&[file]).expect("valid").providers.remove(0)
    }

    fn entry(id: &str, context: u64) -> String {
        format!("[[model]]\nid = \"{id}\"\nscale = \"small\"\ncontext = {context}\n")
    }

    /// As a provider of the shipped catalogue, whose models nobody chose.
    fn shipped(file: &str) -> Provider {
        let mut provider = provider(file);
        provider.models.iter_mut().for_each(|model| model.is_chosen = false);
        provider
    }

    fn found(id: &str, parameters: f64, details: Option<Details>) -> (Installed, Option<Details>) {
        (Installed { id: id.to_owned(), parameters: Some(parameters), is_remote: false }, details)
    }

    const ABLE: Details = Details {
        context: Some(8192),
        parameters: None,
        chats: true,
        has_tools: true,
        has_vision: true,
        thinks: false,
    };

    fn ids(provider: &Provider) -> Vec<(&str, u64)> {
        provider.models.iter().map(|model| (model.id.as_str(), model.context)).collect()
    }

    #[test]
    fn the_servers_models_replace_the_shipped_ones() {
        let shipped = shipped(&(entry("gone", 1000) + &entry("slow", 2000)));
        let embedding = Details { chats: false, ..ABLE };
        let elsewhere = Installed { id: "cloud".to_owned(), parameters: None, is_remote: true };
        let provider = shipped.with_installed(&[
            found("big", 70.6, Some(ABLE)),
            found("qwen3-coder:30b", 30.5, Some(Details { has_vision: false, ..ABLE })),
            found("embed", 0.1, Some(embedding)),
            found("slow", 8.0, None),
            found("unknown", 8.0, None),
            (elsewhere, Some(ABLE)),
        ]);
        let expected = [("big", 8192), ("qwen3-coder:30b", 8192), ("slow", 2000), ("unknown", UNKNOWN_CONTEXT)];
        assert_eq!(ids(&provider), expected);
        let (big, coder) = (&provider.models[0], &provider.models[1]);
        assert_eq!((big.scale, coder.scale, provider.models[3].scale), (Scale::Large, Scale::Medium, Scale::Small));
        assert_eq!((big.types[0], big.is_a(ModelType::Vision)), (ModelType::Text, true));
        assert_eq!(coder.types, [ModelType::Coding, ModelType::Text]);
        assert!(big.features.tools && big.features.schema && !provider.models[3].features.tools);
    }

    #[test]
    fn the_users_own_words_about_a_model_stay() {
        let mut provider = provider(&(entry("mine:latest", 1000) + "[[model]]\nid = \"off\"\nenabled = false\n"));
        assert!(provider.has_chosen_models());
        provider.models.extend(shipped(&entry("shipped", 2000)).models);
        assert!(!provider.has_chosen_models());
        let able = Some(ABLE);
        let merged = provider.with_installed(&[
            found("mine", 8.0, able.clone()),
            found("off", 8.0, able.clone()),
            found("new", 8.0, able),
        ]);
        assert_eq!(ids(&merged), [("mine:latest", 1000), ("new", 8192)]);
    }
}
