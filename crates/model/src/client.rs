//! The client file: what is particular to the organisation that a run is for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    span::Span,
    yaml::{At, Map, Raw},
};

/// A client as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientFile {
    /// The format of the file: 1.
    pub format: At<u32>,
    /// The client's id: small letters, digits and hyphens.
    pub client: At<Box<str>>,
    /// Its name for people.
    pub name: Option<At<Box<str>>>,
    /// The partner file that this one builds on, seen from here: what this one leaves open it says. Mappings are merged key by
    /// key, of all else this one wins; `sensitive` adds up.
    pub extends: Option<At<Box<str>>>,
    /// The time zone of its windows, such as `America/Chicago`.
    pub zone: Option<At<Box<str>>>,
    /// What runbooks see as `client.*`.
    #[serde(default)]
    pub values: Map<Raw>,
    /// Its machines.
    #[serde(default)]
    pub hosts: Map<HostDef>,
    /// Services without a service manager, for hosts with `services: pidfile`.
    #[serde(default)]
    pub daemons: Map<DaemonDef>,
    /// Who works on it.
    #[serde(default)]
    pub people: Map<Person>,
    /// The client's own age recipient: it can open what is kept sealed.
    pub recovery: Option<At<Box<str>>>,
    /// When work may be done.
    #[serde(default)]
    pub windows: Vec<At<Window>>,
    /// Rules for approvals.
    pub policy: Option<Policy>,
    /// Where secrets come from, by the name of the input.
    #[serde(default)]
    pub secrets: Map<At<SecretRef>>,
    /// Resources whose bytes are secret, as patterns.
    #[serde(default)]
    pub sensitive: Vec<At<Box<str>>>,
    /// What is particular to single runbooks, by their id.
    #[serde(default)]
    pub runbooks: Map<RunbookEntry>,
}

/// A machine.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostDef {
    /// Whether it is the machine that retrace runs on. Others cannot be reached yet.
    #[serde(default)]
    pub local: bool,
    /// Who manages its services; missing: systemd on Linux, windows on Windows.
    pub services: Option<At<ServiceManager>>,
}

/// Who manages services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceManager {
    /// systemd.
    Systemd,
    /// The Windows service control manager.
    Windows,
    /// Nobody: `daemons` of the client file say how.
    Pidfile,
}

/// A service without a service manager: how it is started, found and ended.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DaemonDef {
    /// The program that is started and its arguments; it stays in the foreground or writes `pid_file` itself. What it prints
    /// goes to a `.log` beside that file.
    pub start: Vec<String>,
    /// Where it is started.
    pub cwd: Option<String>,
    /// The file with its process id.
    pub pid_file: String,
    /// What its process is called, where that is not the program of `start`: a pid file that names another process is not believed.
    pub program: Option<String>,
    /// Whether `pid_file` is written by retrace after the start; otherwise the daemon does it.
    #[serde(default)]
    pub write_pid: bool,
    /// A program that ends it; missing: it is asked to terminate. It is never killed.
    pub stop: Option<Vec<String>>,
    /// A program that makes it read its configuration again; missing: it cannot be reloaded.
    pub reload: Option<Vec<String>>,
    /// How long it may take to end; 60 seconds unless said.
    pub grace: Option<Span>,
    /// How to see that it serves.
    pub probe: Option<Probe>,
    /// How long it may take to serve; 30 seconds unless said.
    pub within: Option<Span>,
}

/// How to see that a daemon serves.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The sort of probe.
    pub kind: ProbeKind,
    /// The machine; the local one unless said.
    pub host: Option<String>,
    /// The port.
    pub port: u16,
}

/// The sort of probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProbeKind {
    /// It accepts a connection.
    Tcp,
}

/// Somebody who works on the client's systems.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The name.
    pub name: At<Box<str>>,
    /// What they may do.
    #[serde(default)]
    pub roles: Vec<At<Role>>,
    /// The public key that they sign with, as OpenSSH writes it.
    pub key: Option<At<Box<str>>>,
    /// The age recipient under which sealed files can be opened by them.
    pub age: Option<At<Box<str>>>,
}

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs runbooks.
    Operator,
    /// Approves plans.
    Approver,
}

/// A time in which work may be done.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Its beginning in the client's zone: `2026-03-07T20:00`.
    pub starts: At<Box<str>>,
    /// Its length.
    #[serde(rename = "for")]
    pub length: At<Span>,
    /// How long before its end the point of no return may be passed at the latest.
    pub last_no_return: Option<At<Span>>,
}

/// Rules for approvals.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Whether the operator may not approve.
    #[serde(default)]
    pub four_eyes: bool,
    /// Why not.
    pub because: Option<Box<str>>,
}

/// Where a secret comes from: exactly one of these.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretRef {
    /// A file, plain or an age file.
    pub file: Option<Box<str>>,
    /// An environment variable.
    pub env: Option<Box<str>>,
    /// Asked at the terminal.
    #[serde(default)]
    pub prompt: bool,
    /// A vault. Not supported yet.
    pub vault: Option<Raw>,
}

/// What is particular to one runbook.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookEntry {
    /// Values of inputs.
    #[serde(default)]
    pub inputs: Map<Raw>,
    /// Other timeouts, by the id of the step.
    #[serde(default)]
    pub timeouts: Map<At<Span>>,
    /// Optional steps that are skipped.
    #[serde(default)]
    pub skip: Vec<At<Box<str>>>,
    /// Other texts. Not supported yet.
    pub texts: Option<Raw>,
}
