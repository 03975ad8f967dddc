//! The shipped change of licence keys is killed on the practice site at its changing calls; then it is finished, or taken back as
//! far as it goes.

use crate::call::{Point, points};
use crate::lab::{Lab, RUN, place, program};
use crate::manifest::{Manifest, difference, manifest, untimed};
use crate::sample::{none, sample, violations};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

/// How many points are taken, at how many it must have been alive still, and how many there are at least.
const SAMPLE: usize = 72;
const MET: usize = 60;
const POINTS: usize = 2000;

/// What an undo brings back, and what else a run writes to.
const SERVERS: [&str; 3] = ["SAGE01", "RDS01", "RDS02"];
const KEPT: [&str; 2] = ["BK01/sage", "vault"];
/// The services of the site and what each holds open.
const SERVICES: [(&str, &str); 3] = [("application", "SY_Console.M4T"), ("odbc", "SY_Company.M4T"), ("edi", "SY_User.M4T")];
const MAS90: &str = "SAGE01/Sage/Sage 100 Advanced/MAS90";

/// A practice site with its services, and what is there before a run and after it.
struct Practice {
    lab: Lab,
    start: Manifest,
    finished: Manifest,
}

impl Practice {
    /// As `retrace demo` makes it; but nobody is waited for.
    fn new(name: &str) -> Self {
        let root = place().join(name);
        fs::create_dir_all(&root).unwrap();
        let mut demo = Command::new(program()).arg("demo").arg(&root).arg("--no-input").stderr(Stdio::piped()).spawn().unwrap();
        let made = BufReader::new(demo.stderr.take().unwrap()).lines().any(|line| line.unwrap().starts_with("== 1"));
        demo.kill().unwrap();
        demo.wait().unwrap();
        assert!(made, "there is no practice site");
        let client = root.join("practice.yaml");
        let text = fs::read_to_string(&client).unwrap().replace("quiet_for: 1s", "quiet_for: 0s").replace("look_every: 200ms", "look_every: 10ms");
        fs::write(client, text).unwrap();
        let (state, runbook) = (root.join("state"), root.join("licence-update.yaml"));
        let lab = Lab { tree: root.clone(), root, state, runbook, bug: None, jobs: 1, practice: true };
        let mut practice = Self { lab, start: Manifest::new(), finished: Manifest::new() };
        practice.start = practice.now();
        practice.fill();
        practice.lab.done(&["run"]).unwrap();
        practice.finished = practice.now();
        practice
    }

    /// What is there now.
    fn now(&self) -> Manifest {
        let under = |dir: &&'static str| {
            let dir = *dir;
            manifest(&self.lab.root.join(dir)).into_iter().map(move |(name, entry)| (format!("{dir}/{name}"), entry))
        };
        SERVERS.iter().chain(&KEPT).flat_map(under).collect()
    }

    /// As at the start, and no run.
    fn fill(&self) {
        if self.lab.state.exists() {
            fs::remove_dir_all(&self.lab.state).unwrap();
        }
        self.lab.reserve();
        let now = self.now();
        for (name, entry) in now.iter().rev().filter(|(name, _)| !self.start.contains_key(*name)) {
            let path = self.lab.root.join(name);
            if entry.bytes.is_some() { fs::remove_file(path) } else { fs::remove_dir(path) }.unwrap();
        }
        for (name, entry) in self.start.iter().filter(|(name, entry)| now.get(*name) != Some(entry)) {
            let path = self.lab.root.join(name);
            if let (Some(bytes), Some((seconds, nanos))) = (&entry.bytes, entry.modified) {
                fs::write(&path, bytes).unwrap();
                let modified = SystemTime::UNIX_EPOCH + Duration::new(seconds.cast_unsigned(), u32::try_from(nanos).unwrap());
                fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
            }
            fs::set_permissions(path, fs::Permissions::from_mode(entry.mode)).unwrap();
        }
        for (pid_file, port, held) in self.services() {
            if TcpStream::connect(("127.0.0.1", port)).is_err() {
                let mut start = Command::new(program());
                start.args(["lab", "start", "--port", &port.to_string(), "--pid-file"]).arg(pid_file).arg("--hold").arg(held);
                assert!(start.status().unwrap().success());
            }
        }
    }

    /// The pid file, port and open file of each service.
    fn services(&self) -> Vec<(PathBuf, u16, PathBuf)> {
        let lab = self.lab.root.join("lab");
        let ports = fs::read_to_string(lab.join("ports")).unwrap();
        let held = |name: &str| self.lab.root.join(MAS90).join("MAS_SYSTEM").join(name);
        SERVICES.iter().zip(ports.lines()).map(|((name, file), port)| (lab.join(format!("{name}.pid")), port.parse().unwrap(), held(file))).collect()
    }

    /// What a verb begins with. `cuts` are points of a run: what is resumed was killed at the first, what is undone at the second.
    fn ready(&self, verb: &str, cuts: &[Point]) -> Result<(), String> {
        self.fill();
        let kill = |cut: &Point| drop(self.lab.strace(&cut.options("signal=KILL", false), "run"));
        match verb {
            "run" => {}
            "resume" => kill(&cuts[0]),
            "undo" => kill(&cuts[1]),
            _ => {
                kill(&cuts[1]);
                self.lab.done(&["undo"])?;
            }
        }
        Ok(())
    }

    /// Whether keys were activated: no undo goes below that.
    fn is_activated(&self) -> bool {
        let journal = fs::read_to_string(self.lab.state.join("runs").join(RUN).join("journal.ndjson")).unwrap_or_default();
        journal.lines().any(|line| line.contains(r#""event":"asked","step":"change/activate""#))
    }

    fn serves(&self) -> Result<(), String> {
        let down = self.services().into_iter().find(|(_, port, _)| TcpStream::connect(("127.0.0.1", *port)).is_err());
        down.map_or(Ok(()), |(pid_file, ..)| Err(format!("the service of {} does not run", pid_file.display())))
    }

    /// Every file of the servers is as before or as after, but for the one that somebody activates.
    fn old_or_new(&self) -> Result<(), String> {
        let (start, finished, now) = (untimed(&self.start), untimed(&self.finished), untimed(&self.now()));
        let is_fine = |name: &String| {
            let (is, old, new) = (now.get(name), start.get(name), finished.get(name));
            is == old || is == new || name.contains(".retrace") || KEPT.iter().any(|kept| name.starts_with(kept)) || name.starts_with(MAS90)
        };
        now.keys().chain(start.keys()).find(|name| !is_fine(name)).map_or(Ok(()), |name| Err(format!("{name} is neither old nor new")))
    }

    /// It is resumed to its end.
    fn finishes(&self) -> Result<(), String> {
        let resume = self.lab.retrace("resume");
        if resume.code != Some(0) {
            return Err(format!("resume ended {:?}: {}", resume.code, resume.text));
        }
        let (wanted, found) = (untimed(&self.finished), untimed(&self.now()));
        if wanted == found { self.serves() } else { Err(format!("after a resume: {}", difference(&wanted, &found))) }
    }

    /// It is taken back as far as it goes.
    fn goes_back(&self, verb: &str) -> Result<(), String> {
        if self.lab.begun(RUN) {
            self.lab.done(&[verb])?;
        }
        let below = self.is_activated();
        let of = |manifest: &Manifest| -> Manifest {
            let is_due = |name: &str| SERVERS.iter().any(|server| name.starts_with(server)) && !(below && name.starts_with(MAS90));
            manifest.iter().filter(|(name, _)| is_due(name)).map(|(name, entry)| (name.clone(), entry.clone())).collect()
        };
        let (wanted, found) = (of(&self.start), of(&self.now()));
        if wanted != found {
            return Err(format!("after {verb}: {}", difference(&wanted, &found)));
        }
        if below { Ok(()) } else { self.serves() }
    }

    fn recovers(&self, verb: &str, n: usize) -> Result<(), String> {
        // Both are in every sample, whatever its step.
        let other = n.count_ones().is_multiple_of(2);
        match verb {
            "undo" => self.goes_back("undo"),
            "redo" => {
                let redo = if other && self.lab.begun("trial.undo-1.undo-1") { "resume redo" } else { "redo" };
                self.lab.done(&[redo])?;
                self.goes_back("undo")
            }
            _ if other && self.lab.begun(RUN) => self.finishes().and_then(|()| self.goes_back("undo")),
            _ => self.goes_back("undo"),
        }
    }

    /// Kills one verb at one point; whether the point was met, and whether all is well then.
    fn kill(&self, verb: &str, cuts: &[Point], point: &Point, n: usize) -> (bool, Result<(), String>) {
        if let Err(text) = self.ready(verb, cuts) {
            return (true, Err(format!("before {verb}: {text}")));
        }
        let options = point.options("signal=KILL", false);
        let met = self.lab.strace(&options, verb).code.is_none_or(|code| code == 137);
        let recovered = self.old_or_new().and_then(|()| self.recovers(verb, n));
        (met, recovered.map_err(|text| format!("{verb} killed at {point}: {text}{}", self.lab.replay(&options, verb))))
    }
}

#[test]
fn the_licence_change_killed_anywhere_can_be_finished_or_taken_back_as_far_as_it_goes() {
    let sites: Vec<Practice> = (0..2).map(|n| Practice::new(&format!("flagship-{n}"))).collect();
    let lab = &sites[0].lab;
    sites[0].fill();
    let run = points(lab, "run");
    let cuts = [run[run.len() / 3].clone(), run[run.len() / 2].clone()];
    let mut all: Vec<(&str, Point)> = run.into_iter().map(|point| ("run", point)).collect();
    for verb in ["resume", "undo", "redo"] {
        sites[0].ready(verb, &cuts).unwrap();
        assert!(!sites[0].is_activated(), "{verb} begins below the point of no return");
        all.extend(points(lab, verb).into_iter().map(|point| (verb, point)));
    }
    let taken = sample(&all, SAMPLE);
    let met = AtomicUsize::new(0);
    let wrong = violations(&taken, |worker, n, (verb, point)| {
        let site = &sites[worker];
        let cuts = cuts.each_ref().map(|cut| cut.moved(lab, &site.lab));
        let (hit, recovered) = site.kill(verb, &cuts, &point.moved(lab, &site.lab), n);
        met.fetch_add(usize::from(hit), Ordering::Relaxed);
        recovered
    });
    let met = met.into_inner();
    println!("the licence change: killed at {met} of {} points; there are {}", taken.len(), all.len());
    assert!(all.len() >= POINTS, "there are {} points", all.len());
    none(&wrong, met, MET);
}
