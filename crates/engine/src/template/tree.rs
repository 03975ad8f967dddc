use super::error::TemplateError;
use super::limits;
use super::scope::Scope;
use super::text::Text;
use model::value::Value;
use std::fmt;

/// A template in a tree of parameters that cannot be rendered.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct TreeError {
    /// Where it stands in the tree, from the root.
    pub path: Vec<Place>,
    /// Place and reason in words.
    pub message: String,
    /// What is wrong, with bytes of that one text.
    pub cause: Box<TemplateError>,
}

/// One step down a tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// Into a mapping.
    Key(String),
    /// Into a list, from 0.
    Index(usize),
}

impl Place {
    /// The key, or the place in the list.
    pub fn part(&self) -> String {
        match self {
            Self::Key(key) => key.clone(),
            Self::Index(index) => index.to_string(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// The tree with every text in it rendered, once. Keys are no templates.
///
/// # Errors
/// The first text that cannot be.
pub fn render(tree: &Value, scope: &dyn Scope) -> Result<Value, TreeError> {
    let mut renderer = Renderer { scope, path: Vec::new(), left: limits::TREE };
    renderer.value(tree).map_err(|cause| {
        let path = renderer.path;
        let shown = path.iter().map(Place::to_string).collect::<Vec<_>>().join(".").replace(".[", "[");
        let message = if path.is_empty() { cause.to_string() } else { format!("`{shown}`: {cause}") };
        TreeError { path, message, cause: Box::new(cause) }
    })
}

struct Renderer<'s> {
    scope: &'s dyn Scope,
    /// Where the value stands that is being rendered; after an error, where it was.
    path: Vec<Place>,
    left: usize,
}

impl Renderer<'_> {
    /// No deeper than the document, whose depth is bounded.
    fn value(&mut self, value: &Value) -> Result<Value, TemplateError> {
        match value {
            Value::String(source) => self.text(source),
            Value::Sequence(items) => {
                let items = items.iter().enumerate().map(|(at, item)| self.below(Place::Index(at), item));
                items.collect::<Result<_, _>>().map(Value::Sequence)
            }
            Value::Mapping(map) => {
                let entries = map.iter().map(|(key, item)| {
                    let place = Place::Key(key.as_str().unwrap_or_default().to_owned());
                    Ok((key.clone(), self.below(place, item)?))
                });
                entries.collect::<Result<_, _>>().map(Value::Mapping)
            }
            other => Ok(other.clone()),
        }
    }

    fn below(&mut self, place: Place, value: &Value) -> Result<Value, TemplateError> {
        self.path.push(place);
        let rendered = self.value(value)?;
        self.path.pop();
        Ok(rendered)
    }

    fn text(&mut self, source: &str) -> Result<Value, TemplateError> {
        let rendered = Text::parse(source)?.render(self.scope)?;
        let bytes = rendered.as_str().map_or(0, str::len);
        self.left = self
            .left
            .checked_sub(bytes)
            .ok_or_else(|| TemplateError::new(TemplateError::LIMIT, 0..0, format!("all texts together become more than {} bytes", limits::TREE)))?;
        Ok(rendered)
    }
}
