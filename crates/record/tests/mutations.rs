//! Whatever is done to a sealed journal, it never verifies again, and nothing panics.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test fails loudly, and changes what lies on the disk")]
#![expect(dead_code, reason = "the support is shared by several tests")]

mod support;

use model::id::RunId;
use std::fs;
use support::records;

/// A small generator: the same numbers every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }
}

fn mutate(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    let at = numbers.below(bytes.len());
    let to = (at + 1 + numbers.below(400)).min(bytes.len());
    match numbers.below(9) {
        0 => bytes[at] ^= 1 << numbers.below(8),
        1 => bytes.insert(at, numbers.below(256) as u8),
        2 => drop(bytes.drain(at..to)),
        3 => {
            let copy = bytes[at..to].to_vec();
            let to = numbers.below(bytes.len());
            bytes.splice(to..to, copy);
        }
        4 => bytes.truncate(at),
        5 => bytes[at..to].reverse(),
        6 => bytes[at..to].fill(0),
        7 => {
            let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
            let (a, b) = (numbers.below(lines.len()), numbers.below(lines.len()));
            lines.swap(a, b);
            *bytes = lines.concat();
        }
        _ => bytes[at] = b"{}[]\",:0\\\n\r"[numbers.below(11)],
    }
}

#[test]
fn no_mutation_of_a_sealed_journal_verifies() {
    let dir = records();
    let run = RunId::parse("harbor-1").unwrap();
    let path = dir.in_run("harbor-1", "journal.ndjson");
    let whole = fs::read(&path).unwrap();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut changed = 0;
    while changed < 2_000 {
        let mut bytes = whole.clone();
        for _ in 0..=numbers.below(3) {
            if !bytes.is_empty() {
                mutate(&mut bytes, &mut numbers);
            }
        }
        if bytes == whole {
            continue;
        }
        changed += 1;
        fs::write(&path, &bytes).unwrap();
        let report = record::verify::verify(&dir, &run).unwrap();
        assert!(!report.is_whole(), "{report}\n{}", String::from_utf8_lossy(&bytes));
        // Reading for a resume is as total.
        drop(record::read::load(&dir, &run));
    }
}

#[test]
fn no_mutation_of_a_seal_verifies() {
    let dir = records();
    let run = RunId::parse("harbor-1").unwrap();
    let path = dir.in_run("harbor-1", "seal.json");
    let whole = fs::read(&path).unwrap();
    let read = |bytes: &[u8]| model::seal::Seal::read(bytes).ok();
    let mut numbers = Numbers(7);
    for _ in 0..1_000 {
        let mut bytes = whole.clone();
        mutate(&mut bytes, &mut numbers);
        if read(&bytes) == read(&whole) {
            continue;
        }
        fs::write(&path, &bytes).unwrap();
        assert!(!record::verify::verify(&dir, &run).unwrap().is_whole(), "{}", String::from_utf8_lossy(&bytes));
    }
}
