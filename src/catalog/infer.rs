//! What a model is for and how large it is, going by its name alone: for models that no file describes.

use super::provider::{ModelType, Scale};

/// Parts of names that tell what a model is for. Those that chat are told apart below.
const NO_CHATS: [(ModelType, &[&str]); 5] = [
    (ModelType::Embedding, &["embed", "bge-", "e5-", "gte-", "minilm"]),
    (ModelType::Speech, &["whisper", "tts", "speech", "voxtral"]),
    (ModelType::Image, &["flux", "diffusion", "sdxl", "dall-e", "imagen", "-image"]),
    (ModelType::Ocr, &["ocr"]),
    (ModelType::Moderation, &["guard", "moderation", "shieldgemma"]),
];
const CODING: [&str; 4] = ["code", "codestral", "devstral", "coding"];
const VISION: [&str; 6] = ["vision", "llava", "pixtral", "omni", "-vl", "vl-"];

/// Words of names that tell a size where no number does.
const SIZES: [(Scale, &[&str]); 3] = [
    (Scale::Small, &["mini", "small", "nano", "tiny", "lite", "micro", "haiku", "ministral"]),
    (Scale::Large, &["large", "ultra", "max", "pro", "plus", "opus"]),
    (Scale::Medium, &["medium", "flash", "turbo", "sonnet"]),
];

/// What a model of this name is for, the main type first.
pub fn types(id: &str) -> Vec<ModelType> {
    let name = id.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if let Some((kind, _)) = NO_CHATS.into_iter().find(|(_, parts)| has(parts)) {
        return vec![kind];
    }
    let is_vision = has(&VISION) || words(&name).any(|word| word.ends_with("vl"));
    let chats = [(ModelType::Coding, has(&CODING)), (ModelType::Text, true), (ModelType::Vision, is_vision)];
    chats.into_iter().filter(|(_, is)| *is).map(|(kind, _)| kind).collect()
}

/// The scale of a model of this name; `None` where it does not tell.
pub fn scale(id: &str) -> Option<Scale> {
    let name = id.to_ascii_lowercase();
    if let Some(billions) = billions(&name) {
        return Some(of_billions(billions));
    }
    let has = |parts: &&[&str]| words(&name).any(|word| parts.contains(&word));
    SIZES.into_iter().find(|(_, parts)| has(parts)).map(|(scale, _)| scale)
}

pub fn of_billions(billions: f64) -> Scale {
    match billions {
        70.0.. => Scale::Large,
        20.0.. => Scale::Medium,
        _ => Scale::Small,
    }
}

/// The parameters a name tells: `70b`, `8x22b`, `1.5b`, `270m`, `1t`. Of several the most, because a mixture of experts also names
/// those that are active: `235b-a22b`.
fn billions(name: &str) -> Option<f64> {
    words(name).filter_map(parameters).reduce(f64::max)
}

fn parameters(word: &str) -> Option<f64> {
    let (number, factor) = match word.as_bytes().last()? {
        b't' => (&word[..word.len() - 1], 1e3),
        b'b' => (&word[..word.len() - 1], 1.0),
        b'm' => (&word[..word.len() - 1], 1e-3),
        _ => return None,
    };
    // Experts that are active, or parameters that are effective.
    let number = number.strip_prefix(['a', 'e']).unwrap_or(number);
    let (experts, each) = number.split_once('x').unwrap_or(("1", number));
    let is_number = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
    if !is_number(experts) || !is_number(each) {
        return None;
    }
    Some(experts.parse::<f64>().ok()? * each.parse::<f64>().ok()? * factor)
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '.')).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_scale() {
        let (large, medium, small) = (Some(Scale::Large), Some(Scale::Medium), Some(Scale::Small));
        let table = [
            ("llama-3.3-70b-versatile", large),
            ("openai/gpt-oss-120b", large),
            ("openai/gpt-oss-20b:free", medium),
            ("Qwen/Qwen3-235B-A22B-Instruct", large),
            ("qwen3:30b-a3b", medium),
            ("mixtral:8x22b", large),
            ("mixtral-8x7b-32768", medium),
            ("moonshot/kimi-k2-1t", large),
            ("gemma3:27b-it-q4_K_M", medium),
            ("gemma-3n-e4b-it", small),
            ("llama3.2:3b", small),
            ("deepseek-r1:1.5b", small),
            ("smollm:135m", small),
            ("gemini-3-flash", medium),
            ("gemini-3-flash-lite", small),
            ("gemini-3-pro", large),
            ("mistral-large-latest", large),
            ("mistral-medium-2508", medium),
            ("mistral-small-latest", small),
            ("gpt-5-mini", small),
            // Letters around a number are no parameters, and a version is no size.
            ("glm-4.7", None),
            ("command-a-03-2026", None),
            ("q4_0", None),
            ("mimo", None),
            ("b", None),
        ];
        for (id, expected) in table {
            assert_eq!(scale(id), expected, "{id}");
        }
    }

    #[test]
    fn a_name_tells_what_a_model_is_for() {
        use ModelType::{Coding, Embedding, Image, Moderation, Ocr, Speech, Text, Vision};
        let table: [(&str, &[ModelType]); 15] = [
            ("llama3.2:3b", &[Text]),
            ("qwen3-coder:30b", &[Coding, Text]),
            ("codestral-latest", &[Coding, Text]),
            ("devstral-small", &[Coding, Text]),
            ("llama-3.2-11b-vision-instruct", &[Text, Vision]),
            ("Qwen2.5-VL-72B", &[Text, Vision]),
            ("qwen2.5vl:7b", &[Text, Vision]),
            ("pixtral-12b", &[Text, Vision]),
            ("nomic-embed-text", &[Embedding]),
            ("bge-m3", &[Embedding]),
            ("whisper-large-v3-turbo", &[Speech]),
            ("flux-1-schnell", &[Image]),
            ("mistral-ocr-latest", &[Ocr]),
            ("llama-guard-4-12b", &[Moderation]),
            ("glm-4.7", &[Text]),
        ];
        for (id, expected) in table {
            assert_eq!(types(id), expected, "{id}");
        }
    }
}
