//! The practice site as directories: what is where, and how it is made.

use super::activation::Activation;
use super::lab::detached;
use super::seeded::Seeded;
use age::secrecy::ExposeSecret;
use model::value::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

const MARK: &str = "retrace practice site, format 1\n";
/// The shipped runbooks, by the names that they have on the site.
const RUNBOOKS: [(&str, &str); 5] = [
    ("preflight.yaml", include_str!("../../../../runbooks/sage100/preflight.yaml")),
    ("notice.yaml", include_str!("../../../../runbooks/sage100/notice.yaml")),
    ("licence-update.yaml", include_str!("../../../../runbooks/sage100/licence-update.yaml")),
    ("access-triage.yaml", include_str!("../../../../runbooks/sage100/access-triage.yaml")),
    ("licence-rollback.yaml", include_str!("../../../../runbooks/sage100/licence-rollback.yaml")),
];
const CLIENT: &str = include_str!("site/practice.yaml");
const ANSWERS: &str = include_str!("site/answers.yaml");
const ROLLBACK_ANSWERS: &str = include_str!("site/rollback-answers.yaml");
const README: &str = include_str!("site/README.txt");

/// The services of the site and what each holds open.
const SERVICES: [(&str, &str); 3] =
    [("application", "MAS_SYSTEM/SY_Console.M4T"), ("odbc", "MAS_SYSTEM/SY_Company.M4T"), ("edi", "MAS_ABC/SOABC/SO_SalesOrderHeader.M4T")];

/// The files of the server tree, below MAS90, and their sizes in bytes.
const FILES: [(&str, usize); 30] = [
    ("Home/pvxwin32.exe", 4096),
    ("Home/pvxwin64.exe", 4096),
    ("Home/pvxcom.exe", 4096),
    ("Home/pvxiosvr.exe", 4096),
    ("Home/FileLayouts.chm", 16384),
    ("SOA/STARTUP.M4P", 2048),
    ("SOA/SY1Q01.soa", 1024),
    ("SY/SY_Main.pvc", 8192),
    ("AR/AR_InvoiceEntry.pvc", 8192),
    ("AP/AP_CheckEntry.pvc", 8192),
    ("GL/GL_Posting.pvc", 8192),
    ("IM/IM_Count.pvc", 8192),
    ("SO/SO_Entry.pvc", 8192),
    ("PO/PO_Receipt.pvc", 8192),
    ("VI/VI_Job.pvc", 4096),
    ("CM/CM_Customizer.pvc", 4096),
    ("MAS_SYSTEM/SY_User.M4T", 16384),
    ("MAS_SYSTEM/SY_Company.M4T", 4096),
    ("MAS_SYSTEM/SY_Console.M4T", 4096),
    ("MAS_SYSTEM/SY_ActivityLog.M4T", 262_144),
    ("MAS_SYSTEM/VI_JobHeader.M4T", 4096),
    ("MAS_ABC/ARABC/AR_Customer.M4T", 524_288),
    ("MAS_ABC/APABC/AP_Vendor.M4T", 131_072),
    ("MAS_ABC/GLABC/GL_DetailPosting.M4T", 1_048_576),
    ("MAS_ABC/SOABC/SO_SalesOrderHeader.M4T", 262_144),
    ("MAS_ABC/Reports/Aged Invoice Report.rpt", 8192),
    ("MAS_XYZ/ARXYZ/AR_Customer.M4T", 65_536),
    ("MAS_TST/ARTST/AR_Customer.M4T", 16_384),
    ("Reports/AR_Statement.rpt", 8192),
    ("Wksetup/WkSetup.exe", 4096),
];

/// A practice site on disk.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    root: PathBuf,
}

impl Site {
    /// The site in a directory.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let root = fs::canonicalize(dir)?;
        match fs::read_to_string(root.join("PRACTICE.txt")) {
            Ok(text) if text.starts_with(MARK) => Ok(Self { root }),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, format!("`{}` is no practice site", dir.display()))),
        }
    }

    /// The site that a client's values lead to: what they call the Sage folder lies in it.
    pub(crate) fn of_client(values: &BTreeMap<String, Value>) -> Option<Self> {
        let sage = Path::new(values.get("sage")?.as_str()?);
        sage.ancestors().find_map(|dir| Self::open(dir).ok())
    }

    /// Makes one. The directory must not be there, or be empty.
    ///
    /// # Errors
    /// It holds something, or cannot be written.
    pub(crate) fn make(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        if fs::read_dir(dir)?.next().is_some() {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        let site = Self { root: fs::canonicalize(dir)? };
        let ports = free_ports()?;
        for (n, (name, size)) in FILES.iter().enumerate() {
            let bytes: Vec<u8> = Seeded::new(n as u64).take(*size).collect();
            site.put(&site.mas90().join(name), &bytes)?;
        }
        site.put(&site.mas90().join("Home/VERSION.TXT"), b"7.30.0.0\r\n")?;
        for folder in ["MAS_USERS", "MAS_ABC/Forms"] {
            fs::create_dir_all(site.mas90().join(folder))?;
        }
        let sota = format!("[Config]\r\n1=SAGE01;{};APS=SAGE;APPLICATION=Sage 100 ERP;Path=\\\\SAGE01\\SAGE\\MAS90\r\n", ports[0]);
        site.put(&site.mas90().join("Launcher/SOTA.INI"), sota.as_bytes())?;
        site.put(&site.activation(), &Activation { seats: 15, serial: "LAB0001".to_owned() }.bytes())?;
        for host in ["RDS01", "RDS02"] {
            site.put(&site.workstation(host).join("Launcher/SOTA.INI"), sota.as_bytes())?;
            // A terminal server that was forgotten last time, as it happens.
            let seats = if host == "RDS01" { 15 } else { 10 };
            site.put(&site.workstation(host).join("Home/Lib/Keys/ACTIVATE.PVX"), &Activation { seats, serial: "LAB0001".to_owned() }.bytes())?;
        }
        for folder in ["BK01/sage", "vault", "lab"] {
            fs::create_dir_all(site.root.join(folder))?;
        }
        private(&site.root.join("vault"))?;
        for (kind, seats) in [("old", 15), ("new", 22)] {
            for (name, value) in keys(seats) {
                site.put(&site.root.join("keys").join(kind).join(name), value.as_bytes())?;
            }
        }
        let program = std::env::current_exe()?;
        for name in ["pvxwin32.exe", "pvxcom.exe", "crm-sync"] {
            let link = site.root.join("lab").join(name);
            fs::hard_link(&program, &link).or_else(|_| fs::copy(&program, &link).map(drop))?;
        }
        let identity = age::x25519::Identity::generate();
        let recovery = identity.to_public().to_string();
        site.put(&site.client(), site.filled(CLIENT, &ports, &program).replace("@RECOVERY@", &recovery).as_bytes())?;
        site.put(&site.answers(), site.filled(ANSWERS, &ports, &program).as_bytes())?;
        site.put(&site.root.join("rollback-answers.yaml"), ROLLBACK_ANSWERS.as_bytes())?;
        for (name, text) in RUNBOOKS {
            // Without the line that leads editors to a schema that is not there.
            site.put(&site.root.join(name), text.split_once('\n').map_or(text, |(_, rest)| rest).as_bytes())?;
        }
        site.put(&site.root.join("identity.txt"), identity.to_string().expose_secret().as_bytes())?;
        site.put(&site.root.join("PRACTICE.txt"), format!("{MARK}{}", site.filled(README, &ports, &program)).as_bytes())?;
        site.put(&site.root.join("lab/ports"), format!("{}\n{}\n{}\n", ports[0], ports[1], ports[2]).as_bytes())?;
        Ok(site)
    }

    /// Where it is.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The client file.
    pub(crate) fn client(&self) -> PathBuf {
        self.root.join("practice.yaml")
    }

    /// The answers to all questions.
    pub(crate) fn answers(&self) -> PathBuf {
        self.root.join("answers.yaml")
    }

    /// The activation file of the server.
    pub(crate) fn activation(&self) -> PathBuf {
        self.mas90().join("Home/Lib/Keys/ACTIVATE.PVX")
    }

    /// The keys, `old` or `new`, by field.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) fn keys(&self, kind: &str) -> io::Result<Vec<(&'static str, String)>> {
        let names = keys(0).into_iter().map(|(name, _)| name);
        names.map(|name| Ok((name, fs::read_to_string(self.root.join("keys").join(kind).join(name))?))).collect()
    }

    /// Starts the services of the server.
    ///
    /// # Errors
    /// One does not serve.
    pub(crate) fn start_services(&self) -> io::Result<()> {
        let ports = fs::read_to_string(self.root.join("lab/ports"))?;
        for ((name, held), port) in SERVICES.iter().zip(ports.lines()) {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["lab", "start", "--port", port, "--pid-file"]).arg(self.pid_file(name));
            if !command.arg("--hold").arg(self.mas90().join(held)).status()?.success() {
                return Err(io::Error::other(format!("the service `{name}` does not start")));
            }
        }
        Ok(())
    }

    /// Somebody signs in and works for some seconds.
    ///
    /// # Errors
    /// The program cannot be started.
    pub(crate) fn sign_in(&self, seconds: u64) -> io::Result<()> {
        fs::write(self.leash("session"), "")?;
        let mut command = Command::new(self.root.join("lab/pvxwin32.exe"));
        command.args(["lab", "session", "--seconds", &seconds.to_string(), "--leash"]).arg(self.leash("session"));
        command.arg("--hold").arg(self.mas90().join("MAS_SYSTEM/SY_User.M4T"));
        ended_by_itself(&mut command)
    }

    /// An interface that nobody has declared begins to watch for the server's return.
    ///
    /// # Errors
    /// The program cannot be started.
    pub(crate) fn start_forgotten(&self) -> io::Result<()> {
        fs::write(self.leash("crm-sync"), "")?;
        let ports = fs::read_to_string(self.root.join("lab/ports"))?;
        let mut command = Command::new(self.root.join("lab/crm-sync"));
        command.args(["lab", "reconnect", "--port", ports.lines().next().unwrap_or_default()]);
        command.arg("--program").arg(self.root.join("lab/pvxcom.exe"));
        command.arg("--hold").arg(self.mas90().join("MAS_SYSTEM/SY_User.M4T"));
        command.arg("--leash").arg(self.leash("crm-sync"));
        ended_by_itself(&mut command)
    }

    /// The forgotten interface is ended.
    ///
    /// # Errors
    /// Its leash cannot be removed.
    pub(crate) fn end_forgotten(&self) -> io::Result<()> {
        gone(&self.leash("crm-sync"))
    }

    /// Ends everything that runs on the site.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub(crate) fn end(&self) -> io::Result<()> {
        gone(&self.leash("session"))?;
        gone(&self.leash("crm-sync"))?;
        SERVICES.iter().try_for_each(|(name, _)| gone(&self.pid_file(name)))
    }

    fn mas90(&self) -> PathBuf {
        self.root.join("SAGE01/Sage/Sage 100 Advanced/MAS90")
    }

    fn workstation(&self, host: &str) -> PathBuf {
        self.root.join(host).join("Sage/Sage 100 Workstation/MAS90")
    }

    fn pid_file(&self, service: &str) -> PathBuf {
        self.root.join("lab").join(format!("{service}.pid"))
    }

    fn leash(&self, program: &str) -> PathBuf {
        self.root.join("lab").join(format!("{program}.leash"))
    }

    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        debug_assert!(path.starts_with(&self.root));
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        let mut file = fs::File::create_new(path)?;
        file.write_all(bytes)
    }

    fn filled(&self, template: &str, ports: &[u16; 3], program: &Path) -> String {
        let quoted = |path: &Path| path.display().to_string().replace('\'', "''");
        let mut text = template.replace("@SITE@", &quoted(&self.root)).replace("@RETRACE@", &quoted(program));
        for (n, port) in ports.iter().enumerate() {
            text = text.replace(&format!("@PORT{n}@"), &port.to_string());
        }
        text
    }
}

fn keys(seats: u32) -> [(&'static str, String); 4] {
    [
        ("serial", "LAB0001".to_owned()),
        ("customer_number", "000000".to_owned()),
        ("user_key", format!("LABUSERKEY{seats:010}")),
        ("product_key", format!("LAB00-LAB00-LAB00-LAB00-LAB{seats:02}")),
    ]
}

fn free_ports() -> io::Result<[u16; 3]> {
    // All are held until all are known, so that no two are the same.
    let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").and_then(|listener| Ok((listener.local_addr()?.port(), listener))));
    let [a, b, c] = held;
    Ok([a?.0, b?.0, c?.0])
}

/// Starts a program that outlives us. If it does not, it is asked for when it has ended.
fn ended_by_itself(command: &mut Command) -> io::Result<()> {
    let mut program = detached(command).spawn()?;
    std::thread::spawn(move || program.wait());
    Ok(())
}

fn gone(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn private(dir: &Path) -> io::Result<()> {
    fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))
}

#[cfg(not(unix))]
fn private(_dir: &Path) -> io::Result<()> {
    Ok(())
}
