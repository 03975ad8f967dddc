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
pub fn render(mut tree: Value, scope: &dyn Scope) -> Result<Value, TreeError> {
    let mut renderer = Renderer { scope, path: Vec::new(), left: limits::TREE };
    match renderer.value(&mut tree) {
        Ok(()) => Ok(tree),
        Err(cause) => {
            let path: Vec<Place> = renderer.path.into_iter().rev().collect();
            let shown = path.iter().map(Place::to_string).collect::<Vec<_>>().join(".").replace(".[", "[");
            let message = if path.is_empty() { cause.to_string() } else { format!("`{shown}`: {cause}") };
            Err(TreeError { path, message, cause: Box::new(cause) })
        }
    }
}

struct Renderer<'s> {
    scope: &'s dyn Scope,
    /// After an error, where it was: the way back to the root.
    path: Vec<Place>,
    left: usize,
}

impl Renderer<'_> {
    /// No deeper than the document, whose depth is bounded.
    fn value(&mut self, value: &mut Value) -> Result<(), TemplateError> {
        match value {
            Value::String(source) => {
                let rendered = if source.contains('{') { Some(Text::parse(source)?.render(self.scope)?) } else { None };
                let bytes = rendered.as_ref().map_or(source.len(), |rendered| rendered.as_str().map_or(0, str::len));
                self.left = self.left.checked_sub(bytes).ok_or_else(too_long)?;
                if let Some(rendered) = rendered {
                    *value = rendered;
                }
            }
            Value::Sequence(items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    self.value(item).inspect_err(|_| self.path.push(Place::Index(at)))?;
                }
            }
            Value::Mapping(map) => {
                for (key, item) in map.iter_mut() {
                    self.value(item).inspect_err(|_| self.path.push(Place::Key(key.as_str().unwrap_or_default().to_owned())))?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn too_long() -> TemplateError {
    TemplateError::new(TemplateError::LIMIT, 0..0, format!("all texts together become more than {} bytes", limits::TREE))
}
