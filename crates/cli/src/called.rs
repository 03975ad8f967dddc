//! How this program is called from here, so that what it suggests can be copied.

use std::env;
use std::path::Path;

/// The word that starts this program in the current directory: its name if that finds it, else its path, relative where it can be.
pub(crate) fn called() -> String {
    let Ok(program) = env::current_exe() else { return "retrace".to_owned() };
    let name = program.file_name().unwrap_or_default();
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file());
    let is_this = |file: &Path| file.canonicalize().ok().is_some_and(|file| program.canonicalize().is_ok_and(|program| program == file));
    if found.is_some_and(|file| is_this(&file)) {
        return Path::new(name).file_stem().unwrap_or(name).to_string_lossy().into_owned();
    }
    let here = env::current_dir().ok();
    let below = here.as_deref().and_then(|here| program.strip_prefix(here).ok());
    let shown = match below {
        Some(below) if below.components().count() == 1 => Path::new(".").join(below),
        Some(below) => below.to_owned(),
        None => program.clone(),
    };
    let shown = shown.to_string_lossy().into_owned();
    if shown.contains(char::is_whitespace) { format!("'{shown}'") } else { shown }
}
