//! The chain of a journal: each line names the one before it. One thread hashes lines and looks at their envelopes, the other
//! follows their events.

use super::blobs::Wanted;
use super::fault::{Fault, Kind};
use super::line::{Envelope, unhex};
use super::verdict::{About, Verdict};
use jiff::Timestamp;
use model::digest::Digest;
use model::event::{Event, FORMAT, RunOutcome, RunStarted};
use model::fold::Order;
use model::id::RunId;
use model::journal::LONGEST;
use model::seal::Seal;
use sha2::{Digest as _, Sha256};
use std::collections::{HashSet, VecDeque};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

/// What was found of a chain.
pub(super) struct Chain {
    pub(super) lines: u64,
    /// Digest of the last line.
    pub(super) head: Digest,
    pub(super) first: Option<Box<RunStarted>>,
    pub(super) ended: Option<(RunOutcome, Option<Timestamp>)>,
    /// Digest of the line that the seal names as the last.
    pub(super) at_seal: Option<Digest>,
    /// After the line that the seal names as the last it was resumed, and has not ended since.
    pub(super) resumed: bool,
    /// It ends within a line, or in garbage.
    pub(super) torn: bool,
    /// The first line that does not fit.
    pub(super) fault: Option<Verdict>,
    /// The first event that does not follow.
    pub(super) misplaced: Option<Verdict>,
    /// The blobs that its events name.
    pub(super) wanted: Wanted,
    /// Of the digests asked for: those that are digests of its lines.
    pub(super) found: HashSet<Digest>,
}

/// Reads a journal to its end. `seal` is this run's, `heads` are digests of lines to look for.
///
/// # Errors
/// It cannot be read, or a line is longer than any.
pub(super) fn check(journal: Box<dyn Read + '_>, run: &RunId, seal: Option<&Seal>, heads: &[&Digest]) -> io::Result<Chain> {
    let mut linker = Linker::new(run, seal, heads);
    let mut batches = Batches { from: journal, rest: Vec::new(), end: false };
    let (jobs, to_do) = sync_channel::<Arc<Vec<u8>>>(DEPTH);
    let (done, hashes) = sync_channel::<Vec<([u8; 32], Option<Envelope>)>>(DEPTH);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for batch in to_do {
                if done.send(lines(&batch).map(|line| (Sha256::digest(line).into(), Envelope::read(line))).collect()).is_err() {
                    break;
                }
            }
        });
        let jobs = jobs;
        let gone = || io::Error::other("the hashing thread has ended");
        let mut under_way = VecDeque::new();
        loop {
            while under_way.len() < DEPTH {
                let Some(batch) = batches.next()?.map(Arc::new) else { break };
                jobs.send(Arc::clone(&batch)).map_err(|_| gone())?;
                under_way.push_back(batch);
            }
            let Some(batch) = under_way.pop_front() else { break };
            for (line, (hash, envelope)) in lines(&batch).zip(hashes.recv().map_err(|_| gone())?) {
                linker.take(line, hash, envelope);
            }
        }
        Ok(linker.finish(!batches.rest.is_empty()))
    })
}

/// How many batches are read ahead.
const DEPTH: usize = 3;

/// The lines of a batch, each of which has its line end.
fn lines(batch: &[u8]) -> impl Iterator<Item = &[u8]> {
    batch[..batch.len().saturating_sub(1)].split(|byte| *byte == b'\n')
}

/// Cuts a journal into batches of whole lines; what has no line end stays in `rest`.
struct Batches<'a> {
    from: Box<dyn Read + 'a>,
    rest: Vec<u8>,
    end: bool,
}

impl Batches<'_> {
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        const SIZE: usize = 1 << 20;
        let mut batch = std::mem::take(&mut self.rest);
        let mut seen = 0;
        while !self.end {
            let before = batch.len();
            let read = (&mut self.from).take(SIZE as u64).read_to_end(&mut batch)?;
            self.end = read < SIZE;
            if let Some(last) = batch[seen..].iter().rposition(|byte| *byte == b'\n') {
                self.rest = batch.split_off(seen + last + 1);
                return Ok(Some(batch));
            }
            if batch.len() > LONGEST {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
            }
            seen = before.max(seen);
        }
        self.rest = batch;
        Ok(None)
    }
}

struct Linker<'a> {
    run: &'a RunId,
    seal: Option<&'a Seal>,
    sealed: Option<[u8; 32]>,
    heads: HashSet<[u8; 32]>,
    head: [u8; 32],
    /// Run of the first line.
    of: Box<str>,
    order: Option<Order>,
    fault: Option<Fault>,
    /// The line before.
    last: Vec<u8>,
    chain: Chain,
}

impl<'a> Linker<'a> {
    fn new(run: &'a RunId, seal: Option<&'a Seal>, heads: &[&Digest]) -> Self {
        let chain = Chain {
            lines: 0,
            head: Digest::from_sha256([0; 32]),
            first: None,
            ended: None,
            at_seal: None,
            resumed: false,
            torn: false,
            fault: None,
            misplaced: None,
            wanted: Wanted::default(),
            found: HashSet::new(),
        };
        Self {
            run,
            seal,
            sealed: seal.and_then(|seal| unhex(seal.head.as_str())),
            heads: heads.iter().filter_map(|head| unhex(head.as_str())).collect(),
            head: [0; 32],
            of: Box::default(),
            order: None,
            fault: None,
            last: Vec::new(),
            chain,
        }
    }

    fn take(&mut self, raw: &[u8], hash: [u8; 32], envelope: Option<Envelope>) {
        if let Some(fault) = &mut self.fault {
            return fault.look_on(envelope.as_ref());
        }
        let at = self.chain.lines;
        if let Err(kind) = self.fits(at, raw, envelope) {
            self.fault = Some(Fault::new(at, kind, hash, About::of(raw), About::of(&self.last)));
            return;
        }
        self.chain.lines += 1;
        self.head = hash;
        if self.heads.contains(&hash) {
            self.chain.found.insert(Digest::from_sha256(hash));
        }
        if self.seal.is_some_and(|seal| seal.count == self.chain.lines) {
            self.chain.at_seal = Some(Digest::from_sha256(hash));
        }
        self.event(at, raw);
    }

    /// Whether a line is the next one.
    fn fits(&mut self, at: u64, raw: &[u8], envelope: Option<Envelope>) -> Result<(), Kind> {
        if raw.ends_with(b"\r") || raw.starts_with(b"\xef\xbb\xbf") {
            return Err(Kind::Endings);
        }
        let line = envelope.ok_or(Kind::Broken)?;
        if at == 0 && line.starts && line.format != Some(u64::from(FORMAT)) {
            return Err(Kind::Format);
        }
        if line.repeated {
            return Err(Kind::Ambiguous);
        }
        match (line.seq == at, line.prev == self.head) {
            (true, true) if at == 0 && *line.run == *self.run.as_str() => self.of = line.run,
            (true, true) if at == 0 => return Err(RunId::parse(&line.run).map_or(Kind::Broken, Kind::OtherRun)),
            (true, true) if line.run == self.of => {}
            (true, true) => return Err(Kind::Foreign),
            (true, false) => return Err(Kind::Prev),
            (false, true) => return Err(Kind::Place),
            (false, false) => return Err(Kind::Elsewhere(line.seq)),
        }
        Ok(())
    }

    /// Follows the event of a line that fits.
    fn event(&mut self, at: u64, raw: &[u8]) {
        self.last.clear();
        self.last.extend_from_slice(raw);
        let Ok(event) = serde_json::from_slice::<Event>(raw) else {
            self.chain.misplaced.get_or_insert(Verdict::EventUnknown(at));
            return;
        };
        if self.chain.misplaced.is_none() {
            let follows = match &mut self.order {
                Some(order) => order.follow(&event),
                None => Order::begin_with(self.run, &event).map(|order| self.order = Some(order)),
            };
            if let Err(wrong) = follows {
                self.chain.misplaced = Some(Verdict::EventOutOfPlace(at, wrong.reason.to_owned()));
            }
        }
        self.chain.wanted.add(&event);
        match event {
            Event::RunStarted(started) if at == 0 => self.chain.first = Some(started),
            Event::Resumed { .. } => {
                self.chain.ended = None;
                self.chain.resumed |= self.seal.is_some_and(|seal| seal.count == at);
            }
            Event::RunEnded { outcome, .. } => self.chain.ended = Some((outcome, About::of(raw).map(|about| about.at))),
            _ => {}
        }
    }

    /// At the end. `rest`: bytes come after the last line end.
    fn finish(self, rest: bool) -> Chain {
        let mut chain = self.chain;
        chain.head = Digest::from_sha256(self.head);
        chain.torn = rest;
        chain.resumed &= chain.ended.is_none();
        let seal = self.seal.filter(|_| !chain.resumed);
        if let Some(fault) = self.fault {
            chain.fault = fault.verdict(seal, self.sealed);
            chain.torn = chain.fault.is_none();
        } else if rest && seal.is_some() {
            chain.fault = Some(Verdict::TornAfterSeal);
        } else if chain.lines == 0 && !rest {
            chain.fault = Some(Verdict::Empty);
        }
        if chain.fault.is_some() {
            // What an altered line says of its event is no second finding.
            chain.misplaced = None;
        }
        chain
    }
}
