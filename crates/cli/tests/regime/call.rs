//! The calls of the program that change something, as points at which it can be hit.

use crate::lab::Lab;
use std::collections::HashMap;
use std::fmt::{self, Display};
use std::fs;

/// The calls that change what is on a disk.
pub(crate) const CHANGING: &str = "openat,write,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,fchmod,fchmodat,fchown,utimensat,ftruncate,fallocate,linkat";

/// The n-th call of a kind in whatever thread comes to it first; about one path if one is named.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Point {
    pub(crate) call: String,
    pub(crate) path: Option<String>,
    pub(crate) nth: usize,
}

impl Point {
    /// The same point in another lab.
    pub(crate) fn moved(&self, from: &Lab, to: &Lab) -> Self {
        let path = self.path.as_ref().map(|path| path.replacen(from.root.to_str().unwrap(), to.root.to_str().unwrap(), 1));
        Self { path, ..self.clone() }
    }

    /// The options that make `strace` hit it.
    pub(crate) fn options(&self, how: &str, from_then_on: bool) -> Vec<String> {
        let plus = if from_then_on { "+" } else { "" };
        let inject = format!("inject={}:{how}:when={}{plus}", self.call, self.nth);
        let trace = format!("trace={}", self.call);
        // Not what programs do: they would be hit too, and some of them go on.
        let mut options: Vec<String> = ["-b", "execve", "-o", "/dev/null", "-e", &trace, "-e", &inject].map(str::to_owned).into();
        if let Some(path) = &self.path {
            options.extend(["-P".to_owned(), path.clone()]);
        }
        options
    }
}

impl Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} of {}", self.call, self.nth, self.path.as_deref().unwrap_or("anything"))
    }
}

/// All points of one verb in the lab as it is; how it ends is not looked at. Looking only is left out, and so is what programs do.
pub(crate) fn points(lab: &Lab, verb: &str) -> Vec<Point> {
    let file = lab.root.with_extension("points");
    let trace = format!("trace={CHANGING}");
    let ended = lab.strace(&["-b", "execve", "-y", "-o", file.to_str().unwrap(), "-e", &trace], verb);
    assert!(ended.code == Some(0) || lab.bug.is_some(), "{}", ended.text);
    let trace = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let root = lab.root.to_str().unwrap();
    let mut counts: HashMap<(String, String, Option<String>), usize> = HashMap::new();
    let mut nth = |thread: &str, call: &str, path: Option<&str>| {
        let count = counts.entry((thread.to_owned(), call.to_owned(), path.map(str::to_owned))).or_default();
        *count += 1;
        *count
    };
    let mut found: Vec<Point> = Vec::new();
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((call, words)) = rest.trim_start().split_once('(') else { continue };
        if call.contains(['<', '+', '-']) {
            continue;
        }
        let path = words.split_once('<').filter(|_| !words.starts_with("AT_FDCWD")).and_then(|(_, rest)| rest.split_once('>')).map(|(path, _)| path);
        let plain = nth(thread, call, None);
        let about = path.map(|path| nth(thread, call, Some(path)));
        if !words.contains(root) || (call == "openat" && !["O_CREAT", "O_WRONLY", "O_RDWR"].iter().any(|flag| words.contains(flag))) {
            continue;
        }
        let point = match path.zip(about) {
            Some((path, nth)) if !path.ends_with(".new") => Point { call: call.to_owned(), path: Some(path.to_owned()), nth },
            _ => Point { call: call.to_owned(), path: None, nth: plain },
        };
        if !found.contains(&point) {
            found.push(point);
        }
    }
    found
}
