//! The writer of a journal. What waits while a flush runs goes into the next one: no timer, no thread of its own.

use crate::context::Engine;
use jiff::Timestamp;
use model::digest::Digest;
use model::event::{Event, Line};
use model::fold;
use model::id::RunId;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use world::error::WorldError;
use world::store::Journal;

/// Writes events. Shared by all workers of a run.
pub(crate) struct Scribe<'a> {
    engine: Engine<'a>,
    run: RunId,
    book: Mutex<Book>,
    journal: Mutex<Box<dyn Journal + 'a>>,
    flushed: Condvar,
}

struct Book {
    next: u64,
    prev: Digest,
    /// Lines that are not handed to the journal yet.
    pending: Vec<(Line, String)>,
    /// Lines before this are written.
    written: u64,
    /// Lines before this are durable.
    durable: u64,
    flushing: bool,
    fold: Option<fold::Run>,
    /// The times of the last line: by the wall clock, and by the one that never goes back.
    last: (Timestamp, Duration),
    dead: Option<String>,
    full: bool,
}

/// The journal cannot be written or flushed, or something else is in doubt: nothing more may be done.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Dead(pub String);

impl<'a> Scribe<'a> {
    /// At the beginning of a journal, or after the lines that `fold` has seen.
    pub(crate) fn new(engine: Engine<'a>, run: RunId, journal: Box<dyn Journal + 'a>, fold: Option<fold::Run>, next: u64, prev: Digest) -> Self {
        let book = Book {
            next,
            prev,
            pending: Vec::new(),
            written: next,
            durable: next,
            flushing: false,
            fold,
            last: (engine.clock.now(), engine.clock.elapsed()),
            dead: None,
            full: false,
        };
        Self { engine, run, book: Mutex::new(book), journal: Mutex::new(journal), flushed: Condvar::new() }
    }

    /// Writes an event; it becomes durable with the next commit.
    ///
    /// # Errors
    /// Nothing more may be done.
    pub(crate) fn say(&self, event: Event) -> Result<(), Dead> {
        let mut book = self.book();
        self.line(&mut book, event)?;
        if book.flushing {
            // Whoever flushes writes it when that is over.
            return Ok(());
        }
        self.write(&mut book)
    }

    /// Writes events and returns when they are durable.
    ///
    /// # Errors
    /// Nothing more may be done.
    pub(crate) fn commit(&self, events: Vec<Event>) -> Result<(), Dead> {
        let mut book = self.book();
        for event in events {
            self.line(&mut book, event)?;
        }
        let wanted = book.next;
        loop {
            if let Some(why) = &book.dead {
                return Err(Dead(why.clone()));
            }
            if book.durable >= wanted {
                return Ok(());
            }
            if book.flushing && world::planted::bug(28) {
                return Ok(());
            }
            if book.flushing {
                book = self.next_flush(book);
                continue;
            }
            book.flushing = true;
            self.write(&mut book)?;
            let written = book.written;
            drop(book);
            let flushed = if world::planted::bug(2) { Ok(()) } else { self.journal.lock().unwrap_or_else(PoisonError::into_inner).flush() };
            book = self.book();
            book.flushing = false;
            match flushed {
                Ok(()) => book.durable = written,
                Err(wrong) => book.dead = Some(crate::plan::chain(&wrong)),
            }
            self.flushed.notify_all();
        }
    }

    /// Returns when everything written so far is durable.
    ///
    /// # Errors
    /// Nothing more may be done.
    pub(crate) fn flush(&self) -> Result<(), Dead> {
        self.commit(Vec::new())
    }

    /// From now on nothing more is done.
    pub(crate) fn die(&self, why: &str) -> Dead {
        let mut book = self.book();
        book.dead.get_or_insert_with(|| why.to_owned());
        Dead(why.to_owned())
    }

    /// What has happened so far.
    pub(crate) fn fold<T>(&self, look: impl FnOnce(&fold::Run) -> T) -> Option<T> {
        self.book().fold.as_ref().map(look)
    }

    /// Whether the run is an undo of another: what tells that a step is done does not tell that it was taken back.
    pub(crate) fn is_of_undo(&self) -> bool {
        self.fold(|run| run.started.undo_of.is_some()).unwrap_or(false)
    }

    /// Digest of the last line, and the number of lines.
    pub(crate) fn head(&self) -> (Digest, u64) {
        let book = self.book();
        (book.prev.clone(), book.next)
    }

    /// Whether the disk has filled up; the run stops, its end and its undo still fit.
    pub(crate) fn is_full(&self) -> bool {
        self.book().full
    }

    /// Waits for whoever flushes.
    fn next_flush<'b>(&'b self, book: MutexGuard<'b, Book>) -> MutexGuard<'b, Book> {
        let Some(turns) = self.engine.turns else { return self.flushed.wait(book).unwrap_or_else(PoisonError::into_inner) };
        drop(book);
        turns.until(&mut || !self.book().flushing);
        self.book()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, book: &mut Book, event: Event) -> Result<(), Dead> {
        if let Some(why) = &book.dead {
            return Err(Dead(why.clone()));
        }
        let (at, elapsed) = (self.engine.clock.now(), self.engine.clock.elapsed());
        let step = at.duration_since(book.last.0).as_secs_f64() - (elapsed.as_secs_f64() - book.last.1.as_secs_f64());
        book.last = (at, elapsed);
        if step.abs() > 2.0 && book.next > 0 {
            self.push(book, at, Event::ClockStep { seconds: step })?;
        }
        self.push(book, at, event)
    }

    fn push(&self, book: &mut Book, at: Timestamp, event: Event) -> Result<(), Dead> {
        let line = Line { seq: book.next, at, run: self.run.clone(), prev: book.prev.clone(), event };
        let text = line.write().map_err(|wrong| Dead(format!("an event cannot be written: {wrong}")))?;
        if text.len() > model::journal::LONGEST {
            // Nobody could read what follows it.
            return Err(Dead(format!("an event of {} bytes is too long for a journal", text.len())));
        }
        let follows = match &mut book.fold {
            Some(fold) => fold.apply(&line),
            None => fold::Run::begin(&line).map(|fold| book.fold = Some(fold)),
        };
        follows.map_err(|wrong| Dead(format!("an event does not follow from those before: {wrong}")))?;
        book.prev = Digest::of(text.as_bytes());
        book.next += 1;
        book.pending.push((line, text));
        Ok(())
    }

    fn write(&self, book: &mut Book) -> Result<(), Dead> {
        if book.pending.is_empty() {
            return Ok(());
        }
        let pending = std::mem::take(&mut book.pending);
        let mut bytes = Vec::with_capacity(pending.iter().map(|(_, text)| text.len() + 1).sum());
        for (_, text) in &pending {
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(b'\n');
        }
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let mut written = journal.append(&bytes);
        if written.as_ref().is_err_and(WorldError::is_full) && self.engine.store.release_reserve().is_ok() {
            book.full = true;
            written = journal.append(&bytes);
        }
        drop(journal);
        if let Err(wrong) = written {
            let why = crate::plan::chain(&wrong);
            book.dead = Some(why.clone());
            book.flushing = false;
            self.flushed.notify_all();
            return Err(Dead(why));
        }
        book.written = book.next;
        for (line, _) in &pending {
            self.engine.sink.line(line);
        }
        Ok(())
    }
}
