//! What is promised about starting programs.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use super::{Programs, find};
use crate::act::{Ended, Secrets, Start};
use crate::alive::Alive;
use crate::disk_store::DiskStore;
use crate::error::WorldError;
use crate::store::{LockName, Store as _};
use model::program::{End, Parse, Program};
use model::value::Text;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct Case {
    dir: TempDir,
    programs: Programs,
    cancelled: AtomicBool,
}

impl Case {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let programs = Programs::new(dir.path());
        Self { dir, programs, cancelled: AtomicBool::new(false) }
    }

    fn start<'a>(&'a self, program: &'a Program) -> Start<'a> {
        Start { program, secrets: Secrets::default(), timeout: None, cancelled: &self.cancelled, alive: None }
    }

    fn run(&self, argv: &[&str]) -> Result<Ended, WorldError> {
        self.programs.run(&self.start(&program(argv)))
    }

    fn sh(&self, script: &str) -> Ended {
        self.run(&["/bin/sh", "-c", script]).unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }
}

fn program(argv: &[&str]) -> Program {
    Program {
        argv: argv.iter().map(|&a| a.to_owned()).collect(),
        cwd: None,
        env: BTreeMap::new(),
        stdin: None,
        expect_exit: vec![0],
        expect_stdout: None,
        parse: Parse::Text,
    }
}

fn text(mut ended: Ended) -> (String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    ended.stdout.bytes.read_to_end(&mut out).unwrap();
    ended.stderr.bytes.read_to_end(&mut err).unwrap();
    assert_eq!((out.len() as u64, err.len() as u64), (ended.stdout.length, ended.stderr.length));
    (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

/// Waits for something that is about to happen.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn kill(pid_file: &str) {
    let pid = std::fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL).unwrap();
}

fn is_gone(pid_file: &str) -> bool {
    let pid = std::fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
    crate::real::procfs::stat(pid).is_none_or(|stat| stat.zombie)
}

#[test]
fn the_exit_code_is_told() {
    assert_eq!(Case::new().sh("exit 7").end, End::Code(7));
}

#[test]
fn a_signal_is_no_exit_code() {
    assert_eq!(Case::new().sh("kill -KILL $$").end, End::Signal(9));
}

#[test]
fn both_streams_are_kept_apart() {
    assert_eq!(text(Case::new().sh("echo out; echo err >&2")), ("out\n".to_owned(), "err\n".to_owned()));
}

#[test]
fn arguments_pass_no_shell() {
    let argv = ["/usr/bin/printf", "%s|", "--", "-x", "a b", "$HOME", "`id`", "*", "", "\"'"];
    assert_eq!(text(Case::new().run(&argv).unwrap()).0, "--|-x|a b|$HOME|`id`|*||\"'|");
}

#[test]
fn the_environment_is_closed() {
    let case = Case::new();
    let mut env = program(&["/usr/bin/env"]);
    env.env.insert("NAME".to_owned(), Text::Plain("value".to_owned()));
    let (out, _) = text(case.programs.run(&case.start(&env)).unwrap());
    let mut lines: Vec<&str> = out.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["LC_CTYPE=C.UTF-8", "NAME=value", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
}

#[test]
fn it_starts_where_it_is_told_and_in_the_root_otherwise() {
    let case = Case::new();
    let mut pwd = program(&["pwd"]);
    assert_eq!(text(case.programs.run(&case.start(&pwd)).unwrap()).0, "/\n");
    pwd.cwd = Some("/usr".to_owned());
    assert_eq!(text(case.programs.run(&case.start(&pwd)).unwrap()).0, "/usr\n");
}

#[test]
fn it_leads_a_group_of_its_own() {
    assert_eq!(text(Case::new().sh("test $$ = $(cut -d' ' -f5 /proc/$$/stat) && echo yes")).0, "yes\n");
}

#[test]
fn a_name_is_looked_for_in_the_fixed_places_only() {
    assert!(["/bin/sh", "/usr/bin/sh"].contains(&find("sh").unwrap().as_str()));
    assert_eq!(find("/bin/sh").unwrap(), "/bin/sh");
    for name in ["no-such-program", "/no/such/program", "./sh", "../bin/sh", ""] {
        assert!(find(name).is_err(), "{name}");
    }
}

#[test]
fn what_cannot_be_started_says_why() {
    let case = Case::new();
    let words = |argv: &[&str], cwd: Option<&str>| {
        let program = Program { cwd: cwd.map(str::to_owned), ..program(argv) };
        case.programs.run(&case.start(&program)).err().unwrap().to_string()
    };
    std::fs::write(case.path("plain"), "text").unwrap();
    std::fs::write(case.path("script"), "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(case.path("script"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(words(&["/no/such"], None), "cannot start `/no/such`");
    assert_eq!(words(&["no-such"], None), "cannot find the program `no-such`");
    assert_eq!(words(&[&case.path("plain")], None), format!("cannot start `{}`", case.path("plain")));
    assert_eq!(words(&["/bin/true"], Some("/no/such")), "cannot enter the directory `/no/such`");
    assert_eq!(words(&["/bin/true"], Some("/bin/true")), "`/bin/true` is refused: it is not a directory");
    let missing = "the interpreter that its first line names does not exist";
    assert_eq!(words(&[&case.path("script")], None), format!("`{}` is refused: {missing}", case.path("script")));
    assert_eq!(words(&[], None), "`argv` is refused: it is empty");
}

#[test]
fn a_program_can_be_looked_at_before_it_is_started() {
    let case = Case::new();
    std::fs::write(case.path("plain"), "text").unwrap();
    assert!(matches!(find(&case.path("plain")), Err(WorldError::Io { op: "start", .. })));
}

#[test]
fn a_hundred_megabytes_without_a_line_end_are_kept_whole() {
    let case = Case::new();
    let mut ended = case.sh("head -c 104857600 /dev/zero");
    assert_eq!((ended.end, ended.stdout.length), (End::Code(0), 104_857_600));
    let mut buffer = vec![1; 1 << 20];
    let mut total = 0;
    loop {
        let count = ended.stdout.bytes.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        assert!(buffer[..count].iter().all(|&byte| byte == 0));
        total += count;
    }
    assert_eq!(total, 104_857_600);
}

#[test]
fn bytes_that_are_no_text_are_kept_as_they_are() {
    let case = Case::new();
    let mut ended = case.sh(r"printf '\377\376\033]8;;x\007\r'");
    let mut bytes = Vec::new();
    ended.stdout.bytes.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"\xff\xfe\x1b]8;;x\x07\r");
}

#[test]
fn a_grandchild_that_keeps_the_output_hangs_nothing() {
    let case = Case::new();
    let ended = case.sh(&format!("sleep 1000 & echo $! > {}; echo done", case.path("pid")));
    assert_eq!(text(ended).0, "done\n");
    assert!(!is_gone(&case.path("pid")));
    // It still holds the empty spool of standard error: the next program must get another one.
    let ended = case.sh("echo mine >&2");
    assert_eq!(text(ended).1, "mine\n");
    kill(&case.path("pid"));
}

#[test]
fn an_empty_spool_that_somebody_may_still_write_to_is_not_used_again() {
    let case = Case::new();
    let script = format!("(until test -e {0}; do sleep 0.01; done; echo late; echo late >&2; : > {1}) &", case.path("go"), case.path("gone"));
    drop(case.sh(&script));
    let waiting = format!(": > {0}; until test -e {1}; do sleep 0.01; done; echo mine", case.path("go"), case.path("gone"));
    assert_eq!(text(case.sh(&waiting)), ("mine\n".to_owned(), String::new()));
}

#[test]
fn what_takes_too_long_ends_with_all_it_started() {
    let case = Case::new();
    // One that ignores being asked and keeps the output; one in a session of its own; one that has closed everything.
    let script = format!(
        "trap '' TERM; (trap '' TERM; echo $BASHPID > {0}.tmp; mv {0}.tmp {0}; while :; do sleep 1000; done) & \
         setsid sh -c 'trap \"\" TERM; echo $$ > {1}; while :; do sleep 1000; done' & \
         setsid sh -c 'trap \"\" TERM; echo $$ > {2}; while :; do sleep 1000; done' <&- >&- 2>&- & \
         echo started; while :; do sleep 1000; done",
        case.path("a"),
        case.path("b"),
        case.path("c"),
    );
    let program = program(&["/bin/bash", "-c", &script]);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            until("three started", || ["a", "b", "c"].iter().all(|name| std::fs::read_to_string(case.path(name)).is_ok_and(|t| t.ends_with('\n'))));
            case.cancelled.store(true, Ordering::Relaxed);
        });
        let ended = case.programs.run(&case.start(&program)).unwrap();
        assert_eq!(ended.end, End::Cancelled);
        assert_eq!(text(ended).0, "started\n");
    });
    for name in ["a", "b", "c"] {
        assert!(is_gone(&case.path(name)), "{name}");
    }
}

#[test]
fn what_was_cancelled_before_is_not_started() {
    let case = Case::new();
    case.cancelled.store(true, Ordering::Relaxed);
    assert_eq!(case.sh(&format!(": > {}", case.path("started"))).end, End::Cancelled);
    assert!(!Path::new(&case.path("started")).exists());
}

#[test]
fn what_ends_when_asked_is_not_killed() {
    let case = Case::new();
    let program = program(&["/bin/sh", "-c", "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done"]);
    let start = Start { timeout: Some(Duration::from_millis(300)), ..case.start(&program) };
    let ended = case.programs.run(&start).unwrap();
    assert_eq!(ended.end, End::TimedOut);
    assert!(text(ended).0.ends_with("bye\n"));
}

#[test]
fn a_secret_is_given_by_standard_input_or_environment_and_shown_nowhere() {
    let case = Case::new();
    let mut cat = program(&["/bin/sh", "-c", "cat; echo; echo $KEY; tr '\\0' ' ' < /proc/$$/cmdline"]);
    let secret: model::value::SecretText = model::value::SecretText { pieces: vec![model::value::Piece::Secret("inputs.key".to_owned())] };
    cat.stdin = Some(Text::Secret(secret.clone()));
    cat.env.insert("KEY".to_owned(), Text::Secret(secret));
    assert!(matches!(case.programs.run(&case.start(&cat)), Err(WorldError::Unavailable { .. })));
    let secrets = || Secrets { env: [("KEY".to_owned(), b"open sesame".to_vec().into())].into(), stdin: Some(b"s3cr3t".to_vec().into()) };
    let ended = case.programs.run(&Start { secrets: secrets(), ..case.start(&cat) }).unwrap();
    let (out, _) = text(ended);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[..2], ["s3cr3t", "open sesame"]);
    assert!(!lines[2].contains("s3cr3t"));
    cat.argv = vec!["/no/such".to_owned()];
    let error = case.programs.run(&Start { secrets: secrets(), ..case.start(&cat) }).err().unwrap();
    assert!(!format!("{error} {error:?}").contains("s3cr3t"));
}

#[test]
fn much_standard_input_that_nobody_reads_hangs_nothing() {
    let case = Case::new();
    let mut program = program(&["/bin/true"]);
    program.stdin = Some(Text::Plain("x".repeat(4 << 20)));
    assert_eq!(case.programs.run(&case.start(&program)).unwrap().end, End::Code(0));
    program.argv = vec!["wc".to_owned(), "-c".to_owned()];
    assert_eq!(text(case.programs.run(&case.start(&program)).unwrap()).0.trim(), "4194304");
}

#[test]
fn without_standard_input_there_is_none() {
    assert_eq!(text(Case::new().run(&["wc", "-c"]).unwrap()).0.trim(), "0");
}

#[test]
fn a_look_keeps_a_bounded_part_and_lets_the_program_end() {
    let case = Case::new();
    let output = case.programs.output(&program(&["/bin/sh", "-c", "head -c 8388608 /dev/zero; echo err >&2; exit 4"])).unwrap();
    assert_eq!((output.end, output.stdout.len(), output.stderr), (End::Code(4), 1 << 20, b"err\n".to_vec()));
}

#[test]
fn a_look_leaves_no_file() {
    let case = Case::new();
    let programs = Programs::new(Path::new("/no/such/place"));
    assert_eq!(programs.output(&program(&["echo", "there"])).unwrap().stdout, b"there\n");
    assert_eq!(std::fs::read_dir(case.dir.path()).unwrap().count(), 0);
}

#[test]
fn a_look_does_not_wait_for_a_grandchild() {
    let case = Case::new();
    let output = case.programs.output(&program(&["/bin/sh", "-c", &format!("sleep 1000 & echo $! | tee {}", case.path("pid"))])).unwrap();
    assert_eq!(output.end, End::Code(0));
    assert!(!is_gone(&case.path("pid")));
    kill(&case.path("pid"));
}

#[test]
fn a_program_inherits_the_lock_that_says_it_is_alive_and_nothing_else() {
    let case = Case::new();
    let lock = case.dir.path().join("alive");
    assert!(!Alive::held(&lock).unwrap());
    let alive = Alive::hold(&lock).unwrap();
    assert!(Alive::hold(&lock).is_err());
    let private = std::fs::File::create(case.dir.path().join("journal")).unwrap();
    private.lock().unwrap();
    let script = format!("sleep 1000 & echo $! > {}; ls -l /proc/$$/fd", case.path("pid"));
    let listing = program(&["/bin/sh", "-c", &script]);
    let (out, _) = text(case.programs.run(&Start { alive: Some(&alive), ..case.start(&listing) }).unwrap());
    assert!(out.contains("alive"), "{out}");
    assert!(!out.contains("journal"), "{out}");
    // The engine goes; what its program has started stays.
    drop(alive);
    drop(private);
    assert!(Alive::held(&lock).unwrap());
    std::fs::File::open(case.dir.path().join("journal")).unwrap().try_lock().unwrap();
    kill(&case.path("pid"));
    until("the lock is free", || !Alive::held(&lock).unwrap());
}

fn store(dir: &Path) -> DiskStore {
    DiskStore::new(&dir.join("state"), &dir.join("locks")).unwrap()
}

/// No test: the engine that the next one kills, when it is given a directory.
#[test]
fn practice_engine() {
    let Some(dir) = std::env::args().find_map(|argument| argument.strip_prefix("dir=").map(PathBuf::from)) else { return };
    let alive = Alive::hold(&dir.join("alive")).unwrap();
    let store = store(&dir);
    let _lock = store.lock(&LockName::Client("harbor".to_owned()), "the engine").unwrap();
    let case = Case::new();
    let script = format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep 1000", dir.join("pid").display());
    let program = program(&["/bin/sh", "-c", &script]);
    let _ = case.programs.run(&Start { alive: Some(&alive), ..case.start(&program) });
}

#[test]
fn after_the_engine_was_killed_it_can_be_told_that_its_program_still_runs() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "real::programs::tests::practice_engine"])
        .arg(format!("dir={}", dir.path().display()))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let (lock, pid) = (dir.path().join("alive"), dir.path().join("pid"));
    until("the program runs", || pid.exists());
    engine.kill().unwrap();
    engine.wait().unwrap();
    assert!(Alive::held(&lock).unwrap());
    // The other locks went with the engine: a second run is not kept out by what the first has started.
    store(dir.path()).lock(&LockName::Client("harbor".to_owned()), "the next").unwrap();
    kill(pid.to_str().unwrap());
    until("the program is gone", || !Alive::held(&lock).unwrap());
}
