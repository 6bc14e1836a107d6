//! What a model's id tells about what it takes. Google's model list names no generation, so the id has to do.

/// A model as the dialect sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model<'a> {
    /// Without the `models/` that the model list puts before it.
    pub id: &'a str,
    family: Family,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Gemma,
    Gemini {
        major: u32,
        minor: u32,
    },
    /// `gemini-flash-latest`, tuned models, what is not yet known: taken for a recent one.
    Unknown,
}

/// How a model is told how much to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThinkingControl {
    Level,
    /// Tokens; `can_be_off` where 0 is allowed.
    Budget {
        can_be_off: bool,
    },
    None,
}

impl<'a> Model<'a> {
    pub fn of(id: &'a str) -> Self {
        let id = id.strip_prefix("models/").unwrap_or(id);
        Self { id, family: family(id) }
    }

    /// Gemma refuses a system instruction ("Developer instruction is not enabled", 2025-03, Gemma 3). Of Gemma 4 it is
    /// not known; words at the head of the first turn reach either.
    pub fn takes_system_instruction(self) -> bool {
        self.family != Family::Gemma
    }

    /// Whether a function call in the history needs a thought signature (Gemini 3 and later, 2025-11).
    pub fn wants_signatures(self) -> bool {
        !self.is_older()
    }

    /// Gemini 2.5 and older answer a request for both with 400.
    pub fn takes_json_with_tools(self) -> bool {
        !self.is_older()
    }

    /// From Gemini 3.5 Flash-Lite on, a last turn of the model's own is an error (Google's model page, 2026-10).
    pub fn continues_its_own_turn(self) -> bool {
        self.is_older()
    }

    pub fn thinking_control(self) -> ThinkingControl {
        match self.family {
            _ if self.id.contains("image") || self.id.contains("tts") => ThinkingControl::None,
            Family::Gemini { major: 3.., .. } => ThinkingControl::Level,
            Family::Gemini { major: 2, minor: 5.. } => {
                ThinkingControl::Budget { can_be_off: !self.id.contains("-pro") }
            }
            Family::Gemini { .. } | Family::Gemma | Family::Unknown => ThinkingControl::None,
        }
    }

    /// Gemini 3 Pro knows `low` and `high` only; every later model knows `medium` too (Google's table, 2026-10).
    pub fn knows_medium_thinking(self) -> bool {
        !(self.family == Family::Gemini { major: 3, minor: 0 } && self.id.contains("-pro"))
    }

    fn is_older(self) -> bool {
        matches!(self.family, Family::Gemma | Family::Gemini { major: 0..=2, .. })
    }

    /// The id as a path segment.
    pub fn path_segment(self) -> String {
        let mut segment = String::with_capacity(self.id.len());
        for byte in self.id.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                segment.push(char::from(byte));
            } else {
                segment.push_str(&format!("%{byte:02X}"));
            }
        }
        segment
    }
}

fn family(id: &str) -> Family {
    if id.starts_with("gemma") {
        return Family::Gemma;
    }
    let version = id.strip_prefix("gemini-").map(|rest| rest.split('-').next().unwrap_or_default());
    let Some(version) = version else { return Family::Unknown };
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    match (major.parse(), minor.parse()) {
        (Ok(major), Ok(minor)) => Family::Gemini { major, minor },
        _ => Family::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generation_is_read_from_the_id() {
        let cases = [
            ("gemini-3.5-flash", true, ThinkingControl::Level),
            ("models/gemini-3-pro-preview", true, ThinkingControl::Level),
            ("gemini-2.5-flash", false, ThinkingControl::Budget { can_be_off: true }),
            ("gemini-2.5-pro", false, ThinkingControl::Budget { can_be_off: false }),
            ("gemini-2.0-flash", false, ThinkingControl::None),
            ("gemini-flash-latest", true, ThinkingControl::None),
            ("gemini-3.1-flash-image", true, ThinkingControl::None),
            ("gemma-4-31b-it", false, ThinkingControl::None),
        ];
        for (id, is_recent, control) in cases {
            let model = Model::of(id);
            assert_eq!((model.wants_signatures(), model.thinking_control()), (is_recent, control), "{id}");
        }
        assert!(!Model::of("gemma-3-27b-it").takes_system_instruction());
        assert!(
            !Model::of("gemini-3-pro").knows_medium_thinking() && Model::of("gemini-3.1-pro").knows_medium_thinking()
        );
    }

    #[test]
    fn an_id_is_one_safe_path_segment() {
        assert_eq!(Model::of("models/gemini-3.5-flash").path_segment(), "gemini-3.5-flash");
        assert_eq!(Model::of("a/b:c?d é").path_segment(), "a%2Fb%3Ac%3Fd%20%C3%A9");
    }
}
