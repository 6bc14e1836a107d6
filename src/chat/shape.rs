//! The size and kind of a request's messages, found while its JSON is checked.

use std::ops::Range;

use super::fields::is_empty_list;
use super::request::{BadRequest, Features};
use super::skim::{Malformed, Skim, text_at};

/// Roles whose messages every provider takes as they are.
const PLAIN_ROLES: [&[u8]; 3] = [b"\"user\"", b"\"assistant\"", b"\"system\""];

/// How nearly all messages begin, with and without the spaces that some writers of JSON set.
const USUAL: [&[u8]; 6] = [
    br#"{"role":"user","content":"#,
    br#"{"role":"assistant","content":"#,
    br#"{"role":"system","content":"#,
    br#"{"role": "user", "content": "#,
    br#"{"role": "assistant", "content": "#,
    br#"{"role": "system", "content": "#,
];

/// The size and kind of a request's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessagesShape {
    pub count: usize,
    pub images: usize,
    /// Bytes of base64 in image and audio parts, which are not text to be counted.
    pub binary_bytes: usize,
    /// Each message is a common role and a text, and holds nothing else.
    pub plain: bool,
    /// Some hold what few providers know: a call of a function as it was written before there were tools, an empty list of calls, or a
    /// refusal in a part.
    pub rare: bool,
}

impl Default for MessagesShape {
    fn default() -> Self {
        Self { count: 0, images: 0, binary_bytes: 0, plain: true, rare: false }
    }
}

/// Why a body was not read to its end.
#[derive(Debug)]
pub(super) enum Flaw {
    Malformed,
    Unfit(BadRequest),
}

impl From<Malformed> for Flaw {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl Flaw {
    fn messages(message: String) -> Self {
        Self::Unfit(BadRequest::field("messages", message))
    }
}

/// What is learned of the messages on the way.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub shape: MessagesShape,
    pub features: Features,
}

impl Found {
    /// Passes the list of messages.
    pub(super) fn read(&mut self, json: &str, skim: &mut Skim<'_>) -> Result<Range<usize>, Flaw> {
        if skim.peek() != Some(b'[') {
            skim.value()?;
            return Err(Flaw::messages("expected `messages` to be a list of messages".to_owned()));
        }
        let place = skim.list(|skim, index| self.message(json, skim, index))?;
        if self.shape.count == 0 {
            return Err(Flaw::messages("`messages` is empty; at least one message is needed".to_owned()));
        }
        Ok(place)
    }

    fn message(&mut self, json: &str, skim: &mut Skim<'_>, index: usize) -> Result<(), Flaw> {
        // What follows the text in a few of them is for the walk to find.
        if USUAL.iter().any(|begin| skim.text_behind(begin, b'}')) {
            self.shape.count += 1;
            return Ok(());
        }
        if skim.peek() != Some(b'{') {
            skim.value()?;
            return Err(Flaw::messages(format!("`messages[{index}]` must be an object")));
        }
        let (mut roles, mut contents) = (0, 0);
        skim.object(|skim, name| {
            match name.text {
                b"role" => {
                    roles += 1;
                    self.role(json, skim, index)?;
                }
                b"content" => {
                    contents += 1;
                    self.content(json, skim, index)?;
                }
                other => self.other(json, skim, other)?,
            }
            Ok::<_, Flaw>(())
        })?;
        let message = match (roles, contents) {
            (1, 0 | 1) => {
                self.shape.count += 1;
                return Ok(());
            }
            (0, _) => format!("`messages[{index}].role` is missing"),
            (1, _) => format!("`messages[{index}].content` stands twice"),
            _ => format!("`messages[{index}].role` stands twice"),
        };
        Err(Flaw::messages(message))
    }

    /// A field that few messages have.
    fn other(&mut self, json: &str, skim: &mut Skim<'_>, name: &[u8]) -> Result<(), Flaw> {
        let value = &json[skim.value()?];
        self.shape.plain = false;
        self.shape.rare |= match name {
            b"function_call" => value.starts_with('{'),
            b"tool_calls" => is_empty_list(value),
            _ => false,
        };
        Ok(())
    }

    fn role(&mut self, json: &str, skim: &mut Skim<'_>, index: usize) -> Result<(), Flaw> {
        let is_text = skim.peek() == Some(b'"');
        let place = skim.value()?;
        let role = &json.as_bytes()[place];
        self.shape.plain &= PLAIN_ROLES.contains(&role);
        self.shape.rare |= role == b"\"function\"";
        if is_text { Ok(()) } else { Err(Flaw::messages(format!("`messages[{index}].role` must be a string"))) }
    }

    fn content(&mut self, json: &str, skim: &mut Skim<'_>, index: usize) -> Result<(), Flaw> {
        let start = skim.peek();
        self.shape.plain &= start == Some(b'"');
        match start {
            Some(b'[') => skim.list(|skim, _| self.part(json, skim))?,
            _ => skim.value()?,
        };
        match start {
            Some(b'"' | b'[' | b'n') => Ok(()),
            _ => Err(Flaw::messages(format!("`messages[{index}].content` must be a string, a list of parts or null"))),
        }
    }

    fn part(&mut self, json: &str, skim: &mut Skim<'_>) -> Result<(), Flaw> {
        let cannot_read = |why: &str| Flaw::messages(format!("a content part cannot be read: {why}"));
        if skim.peek() != Some(b'{') {
            skim.value()?;
            return Err(cannot_read("it must be an object"));
        }
        let (mut kind, mut image, mut audio) = (None, 0, 0);
        skim.object(|skim, name| {
            let is_text = skim.peek() == Some(b'"');
            let place = skim.value()?;
            match name.text {
                b"type" if is_text => kind = Some(text_at(json, &place)),
                b"image_url" => image = place.len(),
                b"input_audio" => audio = place.len(),
                _ => {}
            }
            Ok::<_, Flaw>(())
        })?;
        match kind.as_deref() {
            None => return Err(cannot_read("its `type` is missing or no string")),
            Some("image_url") => {
                self.features.vision = true;
                self.shape.images += 1;
                self.shape.binary_bytes += image;
            }
            Some("refusal") => self.shape.rare = true,
            Some("input_audio") => {
                self.features.audio = true;
                self.shape.binary_bytes += audio;
            }
            Some(_) => {}
        }
        Ok(())
    }
}
