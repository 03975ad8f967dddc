//! Reads nodes as types. An error is reported at its node and a stand-in takes the value's place, so reading goes on.

use std::any::type_name;

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, MapAccess, SeqAccess, Unexpected, Visitor,
        value::{BorrowedStrDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{
    at::{AT, NODE, Raw},
    dummy::{Dummy, stand_in},
    fault::Fault,
    foreseen::{Foreseen, Foresight, Stand},
    one_of::ONE_OF,
    scalar::Plain,
    sink::Sink,
    tree::{Shape, Tree},
    variant::Variant,
};
use crate::diagnostic::{Diagnostic, nearest};

/// Reads a node as a type and reports all errors below it. What has an error holds a stand-in afterwards: do not use the
/// value when errors were reported. Nothing comes back only for a type that refuses every stand-in.
pub fn read<'t, T: Deserialize<'t>>(tree: &'t Tree, node: Raw, sink: &'t Sink) -> Option<T> {
    De { tree, node, sink, owner: "", quiet: false, templates: None, absent: false }.typed().ok()
}

/// Like [`read`], for parameters before they are rendered: a text that holds `{{` stands for a value of any type, but for
/// what is foreseen of it. No parameters at all are read as an empty mapping, with errors at `step`.
pub fn read_parameters<'t, T: Deserialize<'t>>(tree: &'t Tree, with: Option<Raw>, step: Raw, foresight: &'t Foresight, sink: &'t Sink) -> Option<T> {
    De { tree, node: with.unwrap_or(step), sink, owner: "", quiet: false, templates: Some(foresight), absent: with.is_none() }.typed().ok()
}

/// A type that is named by its method reads the node, or a stand-in where the node is none.
macro_rules! typed_or_dummy {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.shape() {
                None => self.stand().$method(visitor),
                Some(_) => self.deserialize_any(visitor),
            }
        })*
    };
}

#[derive(Debug, Clone, Copy)]
pub(super) struct De<'t> {
    pub(super) tree: &'t Tree,
    node: Raw,
    sink: &'t Sink,
    /// The type being read, under which its required fields are remembered.
    owner: &'static str,
    /// Whether everything below was reported in an earlier attempt.
    quiet: bool,
    /// Where a text that holds `{{` stands for anything: what is foreseen of it.
    templates: Option<&'t Foresight>,
    /// Whether it is an empty mapping that is not written down.
    absent: bool,
}

impl<'t> De<'t> {
    pub(super) fn typed<T: Deserialize<'t>>(self) -> Result<T, Fault> {
        if self.sink.is_full() {
            return stand_in();
        }
        let owner = type_name::<T>();
        let mut quiet = self.quiet;
        loop {
            match T::deserialize(De { owner, quiet, ..self }) {
                Ok(value) => return Ok(value),
                Err(Fault::Missing(field)) if self.sink.learn(owner, field) => {
                    if !self.quiet {
                        self.report(Fault::Missing(field));
                    }
                    quiet = true;
                }
                Err(fault) => {
                    // Whatever a stand-in was refused for is nobody's mistake.
                    if !self.quiet && (self.shape().is_some() || self.foreseen().is_some()) {
                        self.report(fault);
                    }
                    return stand_in();
                }
            }
        }
    }

    fn report(self, fault: Fault) {
        let diagnostic = match fault {
            Fault::Silent => return,
            Fault::Missing(field) => Diagnostic::error("missing-key", format!("the key `{field}` is missing")),
            Fault::Found { .. } if self.foreseen().is_some_and(Foreseen::holds_secret) => {
                Diagnostic::error("secret-not-here", "no secret may stand here: this is shown, logged or seen by others")
                    .help("give it to a program in `env` or `stdin` of `command.run`, to a file in `text`, to a person under `show`")
            }
            Fault::Found { code, message, help } => match self.foreseen() {
                // Which text it will be is not known, and so not what a type that is read from text says of it.
                Some(Foreseen::Text) if !message.ends_with(", found text") => return,
                Some(foreseen) => {
                    let (message, help) = foreseen.told(message);
                    Diagnostic::error("template-kind", message).help_if(help)
                }
                None => Diagnostic::error(code, self.as_written(message)).help_if(help),
            },
        };
        self.sink.report(self.tree.point(diagnostic, self.node));
    }

    /// A message that shows a number as it is written, `1.10` and not `1.1`.
    fn as_written(self, message: String) -> String {
        match (message.split_once(", found the number `"), self.tree.scalar(self.node)) {
            (Some((before, _)), Some(written)) => format!("{before}, found the number `{written}`"),
            _ => message,
        }
    }

    pub(super) fn at(self, node: Raw) -> Self {
        Self { node, absent: false, ..self }
    }

    /// The shape, or nothing when a stand-in takes its place.
    fn shape(self) -> Option<Shape<'t>> {
        match self.tree.shape(self.node) {
            _ if self.absent => Some(Shape::Map),
            Shape::Bad => None,
            Shape::Text(text) if self.templates.is_some() && text.contains("{{") => None,
            shape => Some(shape),
        }
    }

    /// What is foreseen of the template that the node is.
    fn foreseen(self) -> Option<&'t Foreseen> {
        self.templates?.get(&self.node).filter(|_| !self.absent)
    }

    /// What takes the place of a node without a shape.
    fn stand(self) -> Stand<'t> {
        Stand::of(self.foreseen())
    }

    fn entries<V: Visitor<'t>>(self, fields: Option<&'static [&'static str]>, visitor: V) -> Result<V::Value, Fault> {
        let (next, end) = if self.absent { (self.node, self.node) } else { self.tree.inside(self.node) };
        visitor.visit_map(Entries { de: self, next, end, value: None, fields, supplied: 0 })
    }
}

impl<'t> Deserializer<'t> for De<'t> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.shape() {
            None => self.stand().deserialize_any(visitor),
            Some(Shape::Text(text)) => visitor.visit_borrowed_str(text),
            Some(Shape::Plain(Plain::Bool(value))) => visitor.visit_bool(value),
            Some(Shape::Plain(Plain::Int(value))) if value < 0 => visitor.visit_i64(value),
            Some(Shape::Plain(Plain::Int(value))) => visitor.visit_u64(value as u64),
            Some(Shape::Plain(Plain::Big(value))) => visitor.visit_u64(value),
            Some(Shape::Plain(Plain::Float(value))) => visitor.visit_f64(value),
            Some(Shape::Plain(_) | Shape::Bad) => visitor.visit_unit(),
            Some(Shape::List) => {
                let (next, end) = self.tree.inside(self.node);
                visitor.visit_seq(Items { de: self, next, end })
            }
            Some(Shape::Map) => self.entries(None, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.shape() {
            None => self.stand().deserialize_option(visitor),
            Some(Shape::Plain(Plain::Null)) => Err(Fault::Found {
                code: "no-value",
                message: "nothing is written here".to_owned(),
                help: Some("write a value or leave the key away".to_owned()),
            }),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(self, name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        match name {
            NODE => visitor.visit_u32(self.node.index()),
            ONE_OF if self.shape() == Some(Shape::Map) => visitor.visit_some(self),
            AT => visitor.visit_seq(Pair { de: self, node: true }),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_struct<V: Visitor<'t>>(self, _: &'static str, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        match self.shape() {
            None => self.stand().deserialize_struct("", fields, visitor),
            Some(Shape::Map) => self.entries(Some(fields), visitor),
            Some(Shape::List) => Err(serde::de::Error::invalid_type(Unexpected::Seq, &visitor)),
            Some(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'t>>(self, name: &'static str, words: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        match self.shape() {
            None => self.stand().deserialize_enum(name, words, visitor),
            Some(Shape::Text(word)) => visitor.visit_enum(BorrowedStrDeserializer::new(word)),
            Some(Shape::Map) => {
                let (key, end) = self.tree.inside(self.node);
                let value = self.tree.after(key);
                if key == end || self.tree.after(value) != end {
                    return Err(Fault::found("wrong-type", "expected a mapping with one key"));
                }
                visitor.visit_enum(Variant { de: self, key, value })
            }
            Some(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    typed_or_dummy! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16
        deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_seq deserialize_map
    }

    fn deserialize_tuple<V: Visitor<'t>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        match self.shape() {
            None => self.stand().deserialize_tuple(len, visitor),
            Some(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'t>>(self, _: &'static str, len: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_tuple(len, visitor)
    }

    forward_to_deserialize_any! {
        <V: Visitor<'t>>
        i128 u128 bytes byte_buf unit unit_struct identifier
    }
}

/// The node and the value of an `At`.
struct Pair<'t> {
    de: De<'t>,
    node: bool,
}

impl<'t> SeqAccess<'t> for Pair<'t> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        seed.deserialize(self.de).map(Some)
    }

    fn next_element<T: Deserialize<'t>>(&mut self) -> Result<Option<T>, Fault> {
        if std::mem::take(&mut self.node) { T::deserialize(self.de).map(Some) } else { self.de.typed().map(Some) }
    }
}

struct Items<'t> {
    de: De<'t>,
    next: Raw,
    end: Raw,
}

impl<'t> SeqAccess<'t> for Items<'t> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        match self.advance() {
            Some(de) => seed.deserialize(de).map(Some),
            None => Ok(None),
        }
    }

    fn next_element<T: Deserialize<'t>>(&mut self) -> Result<Option<T>, Fault> {
        self.advance().map(De::typed).transpose()
    }
}

impl<'t> Items<'t> {
    fn advance(&mut self) -> Option<De<'t>> {
        (self.next < self.end).then(|| {
            let item = self.de.at(self.next);
            self.next = self.de.tree.after(self.next);
            item
        })
    }
}

struct Entries<'t> {
    de: De<'t>,
    next: Raw,
    end: Raw,
    /// The value of the key that was given last; nothing when a stand-in is due.
    value: Option<Raw>,
    /// The known keys, when a struct is read.
    fields: Option<&'static [&'static str]>,
    /// How many of `fields` have been looked at for one that is required and missing.
    supplied: usize,
}

impl<'t> Entries<'t> {
    /// The next key that counts, and its value is remembered.
    fn advance(&mut self) -> Option<Raw> {
        while self.next < self.end {
            let key = self.next;
            let value = self.de.tree.after(key);
            self.next = self.de.tree.after(value);
            let Some(name) = self.de.tree.text(key) else { continue }; // reported by the parser
            match self.fields {
                Some(fields) if !fields.contains(&name) => self.unknown(key, name, fields),
                _ => {
                    self.value = Some(value);
                    return Some(key);
                }
            }
        }
        self.value = None;
        None
    }

    fn unknown(&self, key: Raw, name: &str, fields: &'static [&'static str]) {
        if self.de.quiet {
            return;
        }
        let help = match nearest(name, fields.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if fields.len() <= 12 => Some(format!("known keys: `{}`", fields.join("`, `"))),
            None => None,
        };
        let message = format!("the key `{name}` is not known here");
        self.de.at(key).report(Fault::Found { code: "unknown-key", message, help });
    }

    /// A required field that is not there, each once.
    fn missing(&mut self) -> Option<&'static str> {
        let fields = self.fields?;
        while let Some(field) = fields.get(self.supplied) {
            self.supplied += 1;
            if self.de.sink.requires(self.de.owner, field) && (self.de.absent || self.de.tree.get(self.de.node, field).is_none()) {
                if !self.de.quiet {
                    self.de.report(Fault::Missing(field));
                }
                return Some(field);
            }
        }
        None
    }
}

impl<'t> MapAccess<'t> for Entries<'t> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'t>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        if let Some(key) = self.advance() {
            return seed.deserialize(self.de.at(key)).map(Some);
        }
        if self.de.sink.requires_nothing() {
            return Ok(None);
        }
        match self.missing() {
            Some(field) => seed.deserialize(StrDeserializer::new(field)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'t>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        match self.value {
            Some(value) => seed.deserialize(self.de.at(value)),
            None => seed.deserialize(Dummy::NOTHING),
        }
    }

    fn next_value<V: Deserialize<'t>>(&mut self) -> Result<V, Fault> {
        match self.value {
            Some(value) => self.de.at(value).typed(),
            None => stand_in(),
        }
    }

    fn next_entry<K: Deserialize<'t>, V: Deserialize<'t>>(&mut self) -> Result<Option<(K, V)>, Fault> {
        let Some(key) = self.advance() else { return Ok(None) };
        let name = De { templates: None, ..self.de.at(key) }.typed()?;
        Ok(Some((name, self.next_value()?)))
    }
}
