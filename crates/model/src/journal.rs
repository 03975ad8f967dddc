//! Reading a journal line by line: which lines are whole, where it was cut off, where it is damaged.

use crate::digest::Digest;
use crate::event::Line;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};

/// The longest line that is read, in bytes.
pub const LONGEST: usize = 16 << 20;

/// Splits bytes into lines. One line is in memory at a time.
pub struct Lines<R> {
    from: R,
    buffer: Vec<u8>,
    start: usize,
    /// Up to where there is no line end after `start`.
    seen: usize,
    end: bool,
}

/// A piece of a journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    /// A line, without its line end.
    Line(&'a [u8]),
    /// Bytes after the last line end; nothing comes after them.
    Rest(&'a [u8]),
}

impl<R: Read> Lines<R> {
    /// The lines of `from`.
    pub fn new(from: R) -> Self {
        Self { from, buffer: Vec::new(), start: 0, seen: 0, end: false }
    }

    /// The next piece; none at the end.
    ///
    /// # Errors
    /// It cannot be read, or a line is longer than [`LONGEST`] (`InvalidData`).
    pub fn piece(&mut self) -> io::Result<Option<Piece<'_>>> {
        const STEP: u64 = 256 << 10;
        loop {
            if let Some(at) = self.buffer[self.seen..].iter().position(|b| *b == b'\n') {
                let (from, to) = (self.start, self.seen + at);
                self.start = to + 1;
                self.seen = self.start;
                return Ok(Some(Piece::Line(&self.buffer[from..to])));
            }
            if self.end {
                let from = std::mem::replace(&mut self.start, self.buffer.len());
                self.seen = self.start;
                return Ok((from < self.buffer.len()).then(|| Piece::Rest(&self.buffer[from..])));
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            self.seen = self.buffer.len();
            if self.seen > LONGEST {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
            }
            self.end = (&mut self.from).take(STEP).read_to_end(&mut self.buffer)? == 0;
        }
    }
}

/// Reads the lines of one run and checks that they are chained.
pub struct Reader<R> {
    lines: Lines<R>,
    next: u64,
    head: Digest,
    whole: u64,
    torn: Option<Digest>,
    over: bool,
}

/// Why a journal cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error("cannot read the journal")]
    Io(#[from] io::Error),
    /// A line is broken, and whole lines come after it: somebody or something changed it. It is never repaired.
    #[error("line {line} of the journal is damaged: {reason}")]
    Damaged {
        /// Its place, from 0.
        line: u64,
        /// Why, in words.
        reason: String,
    },
}

impl<R: Read> Reader<R> {
    /// From the first line.
    pub fn new(from: R) -> Self {
        Self { lines: Lines::new(from), next: 0, head: Digest::from_sha256([0; 32]), whole: 0, torn: None, over: false }
    }

    /// The next line; none at the end. A last line that is broken is none either: it was cut off ([`Reader::torn`]).
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn line(&mut self) -> Result<Option<Line>, ReadError> {
        if self.over {
            return Ok(None);
        }
        let (bytes, mut ended, reason) = match self.lines.piece()? {
            None => {
                self.over = true;
                return Ok(None);
            }
            Some(Piece::Rest(bytes)) => (bytes, false, "it has no end".to_owned()),
            Some(Piece::Line(bytes)) => match follow(bytes, self.next, &self.head) {
                Ok(line) => {
                    self.next += 1;
                    self.head = Digest::of(bytes);
                    self.whole += bytes.len() as u64 + 1;
                    return Ok(Some(line));
                }
                Err(reason) => (bytes, true, reason),
            },
        };
        self.over = true;
        let mut torn = Sha256::new_with_prefix(bytes);
        loop {
            if ended {
                torn.update(b"\n");
            }
            match self.lines.piece()? {
                None => break,
                Some(Piece::Rest(bytes)) => {
                    ended = false;
                    torn.update(bytes);
                }
                Some(Piece::Line(bytes)) if std::str::from_utf8(bytes).is_ok_and(|text| Line::read(text).is_ok()) => {
                    return Err(ReadError::Damaged { line: self.next, reason });
                }
                Some(Piece::Line(bytes)) => {
                    ended = true;
                    torn.update(bytes);
                }
            }
        }
        self.torn = Some(Digest::from_sha256(torn.finalize().into()));
        Ok(None)
    }

    /// How many lines were read; the next one's `seq`.
    pub fn lines(&self) -> u64 {
        self.next
    }

    /// Digest of the last line that was read; 64 zeros before the first.
    pub fn head(&self) -> &Digest {
        &self.head
    }

    /// How many bytes the lines that were read take.
    pub fn whole(&self) -> u64 {
        self.whole
    }

    /// At the end: SHA-256 of the bytes after the last whole line, if there are any.
    pub fn torn(&self) -> Option<&Digest> {
        self.torn.as_ref()
    }
}

fn follow(bytes: &[u8], next: u64, head: &Digest) -> Result<Line, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
    let line = Line::read(text).map_err(|wrong| format!("it is no line of a journal: {wrong}"))?;
    if line.seq != next {
        return Err(format!("it says that it is line {}", line.seq));
    }
    if line.prev != *head {
        return Err("the line before it is not the one that it names".to_owned());
    }
    Ok(line)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::id::RunId;

    fn journal(count: u64) -> Vec<u8> {
        let (mut bytes, mut prev) = (Vec::new(), Digest::from_sha256([0; 32]));
        for seq in 0..count {
            let event = Event::Note { by: "pat".into(), text: "x".repeat(seq as usize) };
            let text = Line { seq, at: "2026-03-07T20:02:11Z".parse().unwrap(), run: RunId::parse("r").unwrap(), prev, event }.write().unwrap();
            prev = Digest::of(text.as_bytes());
            bytes.extend(text.into_bytes());
            bytes.push(b'\n');
        }
        bytes
    }

    fn read(bytes: &[u8]) -> (u64, u64, Option<Digest>, Result<(), String>) {
        let mut reader = Reader::new(bytes);
        let result = loop {
            match reader.line() {
                Ok(Some(_)) => {}
                Ok(None) => break Ok(()),
                Err(wrong) => break Err(wrong.to_string()),
            }
        };
        (reader.lines(), reader.whole(), reader.torn().cloned(), result)
    }

    #[test]
    fn a_whole_journal_is_read_to_its_end() {
        let bytes = journal(300);
        assert_eq!(read(&bytes), (300, bytes.len() as u64, None, Ok(())));
        assert_eq!(read(b""), (0, 0, None, Ok(())));
    }

    #[test]
    fn wherever_it_is_cut_the_lines_before_are_whole_and_the_rest_is_torn() {
        let bytes = journal(5);
        for cut in 0..=bytes.len() {
            let before = bytes[..cut].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
            let (lines, whole, torn, result) = read(&bytes[..cut]);
            assert_eq!((lines, whole, result), (bytes[..cut].iter().filter(|b| **b == b'\n').count() as u64, before as u64, Ok(())));
            assert_eq!(torn, (before < cut).then(|| Digest::of(&bytes[before..cut])));
        }
    }

    #[test]
    fn garbage_at_the_end_is_torn_even_with_line_ends_in_it() {
        let mut bytes = journal(3);
        let whole = bytes.len();
        bytes.extend(b"\0\0\n\0{}\n\nxx");
        assert_eq!(read(&bytes), (3, whole as u64, Some(Digest::of(&bytes[whole..])), Ok(())));
    }

    #[test]
    fn a_broken_line_with_whole_lines_after_it_is_damage() {
        let mut bytes = journal(5);
        let second = bytes.iter().position(|b| *b == b'\n').unwrap() + 3;
        bytes[second] ^= 1;
        let (lines, _, torn, result) = read(&bytes);
        assert_eq!((lines, torn), (1, None));
        assert!(result.unwrap_err().starts_with("line 1 of the journal is damaged"));
    }

    #[test]
    fn a_line_of_more_than_16_mib_is_refused() {
        let endless = io::repeat(b'x').take(20 << 20);
        let mut lines = Lines::new(endless);
        assert_eq!(lines.piece().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
