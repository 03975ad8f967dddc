//! The trace of a verb, done once more on a disk that loses what was not flushed.

use crate::disk::{Disk, LONGEST};
use crate::lab::Lab;
use std::collections::HashMap;
use std::fs;
use std::sync::LazyLock;

/// The calls that are replayed.
const CALLS: &str = "openat,write,fsync,fdatasync,rename,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,fchmod,utimensat,ftruncate,fallocate";

/// The disk after a call.
#[derive(Clone)]
pub(crate) struct Moment {
    /// The call and the path that it was about; `begin` before the first one.
    pub(crate) call: String,
    pub(crate) disk: Disk,
}

/// Carries out a verb and gives the disk after each of its changing calls. `inject` are options that make a call fail.
pub(crate) fn moments(lab: &Lab, disk: &Disk, verb: &str, inject: &[String]) -> Result<Vec<Moment>, String> {
    lab.put(&disk.cached());
    let file = lab.root.with_extension("trace");
    let trace = format!("trace={CALLS}");
    let mut options: Vec<String> = ["-y", "-xx", "-s", "70000", "-o", file.to_str().unwrap(), "-e", &trace].map(str::to_owned).into();
    options.extend_from_slice(inject);
    let ended = lab.strace(&options, verb);
    if inject.is_empty() && ended.code != Some(0) {
        return Err(format!("{verb} ended {:?}: {}", ended.code, ended.text));
    }
    let mut disk = disk.clone();
    let mut open: HashMap<String, String> = HashMap::new();
    let mut found = vec![Moment { call: "begin".to_owned(), disk: disk.clone() }];
    for line in fs::read_to_string(&file).unwrap().lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let mut whole = rest.trim_start().to_owned();
        if let Some(begun) = whole.strip_suffix(" <unfinished ...>") {
            open.insert(thread.to_owned(), begun.to_owned());
            continue;
        }
        if let Some((_, end)) = whole.split_once("resumed>") {
            whole = format!("{}{end}", open.remove(thread).unwrap_or_default());
        }
        let Some((call, rest)) = whole.split_once('(') else { continue };
        let Some((words, result)) = rest.rsplit_once(" = ") else { continue };
        if replay(&mut disk, call, words.trim_end().trim_end_matches(')'), result) {
            let path = if call.starts_with("open") || call.starts_with("unlink") || call == "rename" {
                whole.split('"').nth(1)
            } else {
                words.split(['<', '>']).nth(1)
            };
            found.push(Moment { call: format!("{call} {}", path.map(text).unwrap_or_default()), disk: disk.clone() });
        }
    }
    fs::remove_file(&file).unwrap();
    Ok(found)
}

/// Does one traced call; whether it was one that may change something.
fn replay(disk: &mut Disk, call: &str, words: &str, result: &str) -> bool {
    let word: Vec<&str> = words.split(", ").collect();
    if result.starts_with('-') {
        if call == "fsync" || call == "fdatasync" {
            disk.lose(&held(word[0]));
        }
        return false;
    }
    if result.starts_with('?') {
        return false;
    }
    let number = |word: &str| word.split(['=', '}', ' ', ',']).find_map(|part| part.parse::<u64>().ok()).unwrap_or(0);
    match call {
        "openat" if word[2].contains("O_CREAT") || word[2].contains("O_TRUNC") || word[2].contains("O_APPEND") => {
            let mode = word.get(3).map_or(0, |mode| made(mode));
            disk.open(&beside(word[0], word[1]), mode, word[2].contains("O_APPEND"), word[2].contains("O_TRUNC"));
        }
        // It begins at its beginning.
        "openat" if word[2].contains("O_WRONLY") || word[2].contains("O_RDWR") => disk.open(&beside(word[0], word[1]), 0, false, false),
        "write" => {
            let mut written = between(word[1], '"', '"').map(bytes).unwrap_or_default();
            // Of the reserve, which is only there to be removed, a part will do.
            written.resize(usize::try_from(number(result)).unwrap().min(LONGEST), 0);
            disk.write(&held(word[0]), written);
        }
        "fsync" | "fdatasync" => disk.flush(&held(word[0])),
        "rename" => disk.rename(&beside("", word[0]), &beside("", word[1]), false),
        "renameat2" => disk.rename(&beside(word[0], word[1]), &beside(word[2], word[3]), word[4].contains("EXCHANGE")),
        "unlink" | "rmdir" => disk.unlink(&beside("", word[0])),
        "unlinkat" => disk.unlink(&beside(word[0], word[1])),
        "mkdir" => disk.make(&beside("", word[0]), true, made(word[1])),
        "mkdirat" => disk.make(&beside(word[0], word[1]), true, made(word[2])),
        "fchmod" => disk.mode(&held(word[0]), octal(word[1])),
        "utimensat" => {
            if let Some((_, last)) = words.rsplit_once("tv_sec=") {
                let nanos = last.split_once("tv_nsec=").map_or(0, |(_, nanos)| number(nanos));
                disk.time(&held(word[0]), number(last), u32::try_from(nanos).unwrap());
            }
        }
        "ftruncate" => disk.cut(&held(word[0]), usize::try_from(number(word[1])).unwrap()),
        "fallocate" => disk.grow(&held(word[0]), usize::try_from(number(word[2]) + number(word[3])).unwrap()),
        _ => return false,
    }
    true
}

/// Bytes written as `\x..`.
fn bytes(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|hex| u8::from_str_radix(&hex[..2], 16).unwrap()).collect()
}

/// The text between the first of one and the next of the other.
fn between(text: &str, open: char, close: char) -> Option<&str> {
    text.split_once(open)?.1.split_once(close).map(|(inner, _)| inner)
}

fn text(hex: &str) -> String {
    String::from_utf8_lossy(&bytes(hex)).into_owned()
}

/// The path of a descriptor, and what a name means beside it.
fn held(word: &str) -> String {
    between(word, '<', '>').map(text).unwrap_or_default()
}

fn beside(dir: &str, name: &str) -> String {
    let name = between(name, '"', '"').map(text).unwrap_or_default();
    if name.starts_with('/') { name } else { format!("{}/{name}", held(dir)) }
}

/// The mode of what is made with one: the program and all that it starts have our umask.
fn made(mode: &str) -> u32 {
    static UMASK: LazyLock<u32> = LazyLock::new(|| {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        status.lines().find_map(|line| line.strip_prefix("Umask:")).map(octal).unwrap()
    });
    octal(mode) & !*UMASK
}

fn octal(word: &str) -> u32 {
    u32::from_str_radix(word.trim(), 8).unwrap_or(0o600)
}
