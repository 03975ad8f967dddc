use std::io;
use std::path::Path;

/// Whoever fetches the files of a check, a plan or a run. A closure will do where no link can lead anywhere.
pub trait Reader {
    /// The bytes of a document. It may stop after one byte more than [`model::yaml::MOST_BYTES`].
    ///
    /// # Errors
    /// It cannot be read.
    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>>;

    /// The bytes of the partner file that a client file builds on.
    ///
    /// # Errors
    /// It cannot be read.
    fn read_partner(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        self.read(path)
    }

    /// The bytes of a file that lies below a directory, also once every link on the way is followed.
    ///
    /// # Errors
    /// It cannot be read, or lies elsewhere.
    fn read_below(&mut self, _directory: &Path, path: &Path) -> io::Result<Vec<u8>> {
        self.read(path)
    }
}

impl<F: FnMut(&Path) -> io::Result<Vec<u8>>> Reader for F {
    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        self(path)
    }
}
