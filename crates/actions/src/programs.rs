//! Running programs by what they are and where they work.

use crate::param::Place;
use crate::pattern;
use model::path;
use world::action::ActionError;
use world::look::Process;

/// Which running programs count.
pub(crate) struct Programs<'p> {
    images: Vec<globset::GlobMatcher>,
    paths_under: &'p [Place],
}

impl<'p> Programs<'p> {
    /// Those that are called so, with `*` and `?`, or whose file, or a file that they hold open, lies there.
    pub(crate) fn new(images: &[String], paths_under: &'p [Place]) -> Result<Self, ActionError> {
        if images.is_empty() && paths_under.is_empty() {
            return Err(ActionError::Invalid("one of `images` and `paths_under` is wanted".to_owned()));
        }
        let images = images.iter().map(|image| pattern::matcher(image, true)).collect::<Result<_, _>>()?;
        Ok(Self { images, paths_under })
    }

    /// Whether this one does.
    pub(crate) fn count(&self, process: &Process) -> bool {
        self.images.iter().any(|image| image.is_match(&process.image)) || self.is_under(process)
    }

    /// Whether it cannot be told of this one whether it does: nobody may see its files.
    pub(crate) fn cannot_tell(&self, process: &Process) -> bool {
        !self.paths_under.is_empty() && process.path.is_none() && process.open.is_empty() && !self.count(process)
    }

    fn is_under(&self, process: &Process) -> bool {
        let mut files = process.path.iter().chain(&process.open);
        files.any(|file| self.paths_under.iter().any(|directory| within(file, directory)))
    }
}

/// In words.
pub(crate) fn told(images: &[String], paths_under: &[Place]) -> String {
    let names = images.iter().cloned().chain(paths_under.iter().map(|path| format!("programs in {path}")));
    names.collect::<Vec<_>>().join(", ")
}

fn within(file: &str, directory: &str) -> bool {
    if path::is_windows(directory) {
        return path::within(&file.to_lowercase(), &directory.to_lowercase());
    }
    path::within(file, directory)
}
