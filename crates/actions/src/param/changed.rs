use model::path;
use model::resource::{Resource, ResourceKind};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// A resource that a program or a person changes: `KIND:NAME`, no pattern. A directory is all that is in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Changed(pub Resource);

impl<'de> Deserialize<'de> for Changed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let resource = Resource::parse(&text)
            .ok_or_else(|| D::Error::custom(format!("a resource is written `file:PATH`, `service:NAME` or `other:NAME`, not `{text}`")))?;
        if resource.kind != ResourceKind::File {
            return Ok(Self(resource));
        }
        if resource.name.contains(['*', '?']) {
            return Err(D::Error::custom(format!("`{text}` is a pattern; name a file, or the directory as a whole")));
        }
        let path = path::normal(&resource.name).map_err(|wrong| D::Error::custom(format!("{wrong}, not `{text}`")))?;
        Ok(Self(Resource::file(&path)))
    }
}

impl JsonSchema for Changed {
    fn schema_name() -> Cow<'static, str> {
        "Changed".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^((file|service|task|registry|other):.+|\\{\\{.*\\}\\}.*)$" })
    }
}
