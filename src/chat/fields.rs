//! A JSON object split once into raw top-level fields, and rewritten without touching what stays.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use simdutf8::basic::from_utf8;
use smallvec::SmallVec;

use super::pieces::{Pieces, Slices};
use super::skim::{Malformed, Skim, plain};

/// An object's fields in their order, each value as the bytes that arrived.
#[derive(Debug, Default)]
pub struct RawObject<'a> {
    pub fields: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> RawObject<'a> {
    pub fn parse(json: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// The raw JSON of the field `name`; the last one where a name stands twice.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value.get())
    }

    /// The field `name`, when it is there, is not null and reads as a `T`.
    pub fn read<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.get(name)?).ok()
    }
}

/// A small object being changed field by field: values stay the raw JSON they were.
#[derive(Debug, Clone, Default)]
pub struct EditedObject<'a> {
    fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> EditedObject<'a> {
    pub fn parse(json: &'a str) -> Result<Self, serde_json::Error> {
        let object = RawObject::parse(json.as_bytes())?;
        let fields = object.fields.into_iter().map(|(name, value)| (name, Cow::Borrowed(value.get()))).collect();
        Ok(Self { fields })
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_ref())
    }

    /// The field's text, unescaped, when it is a string.
    pub fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?).ok()
    }

    /// Takes the field out.
    pub fn remove(&mut self, name: &str) -> Option<Cow<'a, str>> {
        let index = self.fields.iter().position(|(field, _)| field == name)?;
        Some(self.fields.remove(index).1)
    }

    /// Gives the field this raw JSON, in its old place or at the end.
    pub fn set(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        let name = name.into();
        match self.fields.iter_mut().find(|(field, _)| *field == name) {
            Some((_, slot)) => *slot = value.into(),
            None => self.fields.push((name, value.into())),
        }
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.fields.retain(|(name, _)| keep(name));
    }

    pub fn render(&self) -> String {
        let length = self.fields.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>() + 2;
        let mut out = String::with_capacity(length);
        out.push('{');
        for (index, (name, value)) in self.fields.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            out.extend([comma, &quoted(name), ":", value]);
        }
        out.push('}');
        out
    }
}

/// The raw values of a JSON list.
pub fn list(json: &str) -> Result<Vec<&str>, serde_json::Error> {
    Ok(serde_json::from_str::<Vec<&RawValue>>(json)?.into_iter().map(RawValue::get).collect())
}

/// Whether a piece of JSON is a list of anything: its first bytes tell.
pub fn is_filled_list(json: &str) -> bool {
    json.starts_with('[') && !is_empty_list(json)
}

pub fn is_empty_list(json: &str) -> bool {
    json.strip_prefix('[').is_some_and(|items| items.trim_ascii_start().starts_with(']'))
}

/// The places of a JSON list's values, found without reading them.
pub fn places(json: &str) -> Option<Vec<Range<usize>>> {
    let (mut places, mut skim) = (Vec::new(), Skim::new(json));
    let item = |skim: &mut Skim<'_>, _| -> Result<(), Malformed> {
        places.push(skim.value()?);
        Ok(())
    };
    skim.list(item).and_then(|_| skim.end()).ok()?;
    Some(places)
}

/// A text as JSON.
pub fn quoted(text: &str) -> String {
    quoted_parts(text).concat()
}

/// The same in parts, for most texts need no escape.
pub fn quoted_parts(text: &str) -> [Cow<'_, str>; 3] {
    if plain(text.as_bytes(), false) < text.len() {
        return ["".into(), serde_json::to_string(text).expect("a text serializes").into(), "".into()];
    }
    ["\"".into(), text.into(), "\"".into()]
}

/// A field's name, borrowed unless it holds an escape.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a field name")
            }

            fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = RawObject<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(16);
                while let Some((Name(name), value)) = map.next_entry()? {
                    fields.push((name, value));
                }
                Ok(RawObject { fields })
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// Where one field stands in the body it was split from.
#[derive(Debug, Clone)]
pub struct FieldAt {
    /// With its quotes.
    name: Range<usize>,
    /// The name where it is written with an escape.
    unescaped: Option<Box<[u8]>>,
    pub value: Range<usize>,
}

impl FieldAt {
    /// The name, as a field of `body`.
    #[inline]
    pub fn name<'a>(&'a self, body: &'a [u8]) -> &'a [u8] {
        self.unescaped.as_deref().unwrap_or_else(|| &body[self.name.start + 1..self.name.end - 1])
    }

    /// From the opening quote of the name to the end of the value.
    const fn whole(&self) -> Range<usize> {
        self.name.start..self.value.end
    }

    /// Where it stands when each place in the body is another one.
    #[must_use]
    pub fn moved(self, to: impl Fn(usize) -> usize) -> Self {
        let Self { name, unescaped, value } = self;
        Self { name: to(name.start)..to(name.end), unescaped, value: to(value.start)..to(value.end) }
    }
}

/// Splits `json` into the places of its top-level fields. Where `pass` is, it passes the value behind each name.
pub fn locate_with<E: From<Malformed>>(
    json: &str,
    mut pass: impl FnMut(&mut Skim<'_>, &[u8]) -> Result<Range<usize>, E>,
) -> Result<Vec<FieldAt>, E> {
    let mut fields = Vec::with_capacity(16);
    let mut skim = Skim::new(json);
    skim.object(|skim, name| {
        let value = pass(skim, name.text)?;
        let unescaped = name.has_escape.then(|| name.text.into());
        fields.push(FieldAt { name: name.place, unescaped, value });
        Ok(())
    })
    .and_then(|_: Range<usize>| skim.end().map_err(E::from))?;
    Ok(fields)
}

/// Splits `body` into the places of its top-level fields; `None` when it is no JSON object.
pub fn locate(body: &[u8]) -> Option<Vec<FieldAt>> {
    locate_with(from_utf8(body).ok()?, |skim, _| skim.value()).ok()
}

/// A new version of an object: fields dropped, replaced or added, every untouched run copied as one slice.
#[derive(Debug)]
pub struct Rewrite<'a> {
    body: &'a Bytes,
    fields: &'a [FieldAt],
    changes: SmallVec<[Change<'a>; 8]>,
    added: SmallVec<[(Cow<'static, str>, New<'a>); 1]>,
}

#[derive(Debug, Clone)]
enum Change<'a> {
    Keep,
    Drop,
    Replace(New<'a>),
    Rename(String),
}

/// A field's new value.
#[derive(Debug, Clone)]
pub enum New<'a> {
    Raw(Bytes),
    /// A text that is none of JSON's yet.
    Text(&'a str),
}

impl From<Bytes> for New<'_> {
    fn from(json: Bytes) -> Self {
        Self::Raw(json)
    }
}

impl<'a> Rewrite<'a> {
    pub fn new(body: &'a Bytes, fields: &'a [FieldAt]) -> Self {
        Self { body, fields, changes: fields.iter().map(|_| Change::Keep).collect(), added: SmallVec::new() }
    }

    pub fn has(&self, name: &str) -> bool {
        let kept = self.fields.iter().zip(&self.changes).any(|(field, change)| match change {
            Change::Drop => false,
            Change::Rename(new_name) => new_name == name,
            Change::Keep | Change::Replace(_) => field.name(self.body) == name.as_bytes(),
        });
        kept || self.added.iter().any(|(added, _)| added == name)
    }

    pub fn drop_field(&mut self, name: &str) {
        self.named(name).for_each(|slot| *slot = Change::Drop);
        self.added.retain(|(added, _)| added != name);
    }

    /// Gives the field `name` this value, adding it where it is missing. One that stands twice stands once then.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<New<'a>>) {
        let (name, mut value) = (name.into(), Some(value.into()));
        for slot in self.named(&name) {
            *slot = value.take().map_or(Change::Drop, Change::Replace);
        }
        self.added.extend(value.map(|value| (name, value)));
    }

    /// Drops every field whose name, as it now is, `keep` does not want.
    pub fn retain(&mut self, keep: impl Fn(&[u8]) -> bool) {
        for (field, change) in self.fields.iter().zip(&mut self.changes) {
            let name = if let Change::Rename(new_name) = change { new_name.as_bytes() } else { field.name(self.body) };
            if !keep(name) {
                *change = Change::Drop;
            }
        }
        self.added.retain(|(name, _)| keep(name.as_bytes()));
    }

    pub fn rename(&mut self, name: &str, new_name: &str) {
        self.named(name).for_each(|slot| *slot = Change::Rename(new_name.to_owned()));
    }

    /// What becomes of the fields that came with this name, and are still there.
    fn named(&mut self, name: &str) -> impl Iterator<Item = &mut Change<'a>> {
        let (body, slots) = (self.body, self.fields.iter().zip(&mut self.changes));
        slots.filter_map(move |(field, slot)| {
            (field.name(body) == name.as_bytes() && !matches!(slot, Change::Drop)).then_some(slot)
        })
    }

    /// The object's bytes in pieces: slices of the old body between the few new ones; all in one where that is small.
    pub fn finish(self) -> Slices {
        let mut out = Pieces::new(self.body);
        let mut run: Option<Range<usize>> = None;
        for (field, change) in self.fields.iter().zip(&self.changes) {
            if matches!(change, Change::Keep) {
                run = Some(run.map_or(field.whole(), |run| run.start..field.value.end));
                continue;
            }
            if let Some(run) = run.take() {
                out.begin().old(run);
            }
            match change {
                Change::Keep | Change::Drop => {}
                Change::Replace(value) => {
                    out.begin().old(field.name.start..field.value.start).value(value);
                }
                Change::Rename(name) => {
                    out.begin().name(name).old(field.value.clone());
                }
            }
        }
        let last = if self.added.is_empty() { run.take() } else { None };
        if let Some(run) = run {
            out.begin().old(run);
        }
        for (name, value) in &self.added {
            out.begin().name(name).value(value);
        }
        out.close(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(json: &'static str, change: impl FnOnce(&mut Rewrite<'_>)) -> String {
        let body = Bytes::from_static(json.as_bytes());
        let fields = locate(&body).expect("valid JSON");
        let mut rewrite = Rewrite::new(&body, &fields);
        change(&mut rewrite);
        String::from_utf8(rewrite.finish().concat()).expect("valid UTF-8")
    }

    #[test]
    fn untouched_objects_come_out_as_they_went_in() {
        let json = r#"{ "a" : 1e400, "b\u0041":[12345678901234567890] ,"c":"\u0000😀" }"#;
        assert_eq!(rewritten(json, |_| {}), r#"{"a" : 1e400, "b\u0041":[12345678901234567890] ,"c":"\u0000😀"}"#);
    }

    #[test]
    fn fields_are_dropped_replaced_renamed_and_added() {
        let json = r#"{"model":"x","seed":7,"keep":[1, 2],"n":1}"#;
        let out = rewritten(json, |rewrite| {
            rewrite.set("model", Bytes::from_static(b"\"y\""));
            rewrite.rename("seed", "random_seed");
            rewrite.drop_field("n");
            rewrite.set("stream", Bytes::from_static(b"true"));
            rewrite.set("user", Bytes::from_static(b"\"u\""));
            rewrite.drop_field("user");
        });
        assert_eq!(out, r#"{"model":"y","random_seed":7,"keep":[1, 2],"stream":true}"#);
    }

    #[test]
    fn dropping_every_field_leaves_an_empty_object() {
        assert_eq!(
            rewritten(r#"{"a":1,"b":2}"#, |rewrite| {
                rewrite.drop_field("a");
                rewrite.drop_field("b");
            }),
            "{}"
        );
        assert_eq!(
            rewritten(r#"{"a":1,"b":2,"c":3}"#, |rewrite| {
                rewrite.drop_field("a");
                rewrite.drop_field("c");
            }),
            r#"{"b":2}"#
        );
    }

    #[test]
    fn a_name_may_hold_an_escaped_quote() {
        assert_eq!(rewritten(r#"{"a\"b":1,"c":2}"#, |rewrite| rewrite.drop_field("c")), r#"{"a\"b":1}"#);
    }
}
