//! `assert.endpoint`

use crate::judged::{bytes, judged, mapping};
use crate::param::Place;
use model::span::Span;
use model::state::State;
use model::value::{May, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::action::{Action, ActionError, Class};
use world::certificate::{self, Facts};
use world::look::{Endpoint, Reply};
use world::proposal::{Proposal, Verdict};
use world::view::View;

/// Says that something answers on the network, and what.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssertEndpoint {
    /// What is asked.
    pub kind: EndpointKind,
    /// Name or address, for `tcp` and `tls`.
    pub host: Option<String>,
    /// Port, for `tcp` and `tls`.
    pub port: Option<u16>,
    /// Address of a page, for `http`; with `http://` or `https://`.
    pub url: Option<String>,
    /// The status code that the page must have. Default: 200.
    pub status: Option<May<u16>>,
    /// Text that must be in the page.
    pub contains: Option<May<String>>,
    /// A PEM file whose first certificate must be the one that is served, for `tls`.
    pub certificate: Option<Place>,
    /// How long the served certificate must still be good, for `tls`.
    pub valid_for: Option<May<Span>>,
}

/// What is asked of an endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EndpointKind {
    /// Whether a port accepts connections.
    Tcp,
    /// What a page says.
    Http,
    /// Which certificate is served; nobody need trust it.
    Tls,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Served {
    /// The certificate, of `tls` only.
    pub certificate: Option<ServedCertificate>,
}

/// A certificate that was served.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ServedCertificate {
    /// SHA-256 of the whole of it.
    pub sha256: String,
    /// Whom it is for.
    pub subject: String,
    /// Who made it.
    pub issuer: String,
    /// The host names and addresses it is for.
    pub names: Vec<String>,
    /// From when it is good.
    pub not_before: String,
    /// Until when it is good.
    pub not_after: String,
}

impl Action for AssertEndpoint {
    const KIND: &'static str = "assert.endpoint";
    const ABOUT: &'static str = "Says that a port, a page or a TLS server answers, and what";
    const CLASS: Class = Class::Check;
    type Outputs = Served;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let endpoint = self.endpoint()?;
        let mut proposal = judged(|| match view.connect(&endpoint)? {
            May::Unknown { until } => Ok(Proposal::later(&until)),
            May::Known(Reply::Silent(why)) => Ok(Proposal::fails("an answer", why)),
            May::Known(Reply::Open) => Ok(Proposal::holds()),
            May::Known(Reply::Page { status, body }) => Ok(self.page(status, &body)),
            May::Known(Reply::Certificates(chain)) => self.chain(view, &chain),
        })?;
        if let (EndpointKind::Tls, Verdict::Later { until }) = (self.kind, proposal.verdict.clone())
            && !proposal.outputs.contains_key("certificate")
        {
            proposal = proposal.unknown_output("certificate", &until);
        }
        Ok(proposal)
    }
}

impl AssertEndpoint {
    fn endpoint(&self) -> Result<Endpoint, ActionError> {
        let refuse = |why: &str| Err(ActionError::Invalid(why.to_owned()));
        if self.kind != EndpointKind::Tls && (self.certificate.is_some() || self.valid_for.is_some()) {
            return refuse("`certificate` and `valid_for` are for `kind: tls`");
        }
        if self.kind != EndpointKind::Http && (self.status.is_some() || self.contains.is_some()) {
            return refuse("`status` and `contains` are for `kind: http`");
        }
        match (self.kind, &self.host, self.port, &self.url) {
            (EndpointKind::Http, None, None, Some(url)) if url.starts_with("http://") || url.starts_with("https://") => {
                Ok(Endpoint::Http { url: url.clone() })
            }
            (EndpointKind::Http, ..) => refuse("`kind: http` wants a `url` with `http://` or `https://`, and no `host` or `port`"),
            (EndpointKind::Tcp, Some(host), Some(port), None) => Ok(Endpoint::Tcp { host: host.clone(), port }),
            (EndpointKind::Tls, Some(host), port, None) => Ok(Endpoint::Tls { host: host.clone(), port: port.unwrap_or(443) }),
            (EndpointKind::Tcp, ..) => refuse("`kind: tcp` wants a `host` and a `port`, and no `url`"),
            (EndpointKind::Tls, ..) => refuse("`kind: tls` wants a `host`, and no `url`"),
        }
    }

    fn page(&self, status: u16, body: &str) -> Proposal {
        let wanted = match &self.status {
            Some(May::Unknown { until }) => return Proposal::later(until),
            Some(May::Known(wanted)) => *wanted,
            None => 200,
        };
        if status != wanted {
            return Proposal::fails(format!("status {wanted}"), format!("status {status}"));
        }
        match &self.contains {
            Some(May::Unknown { until }) => Proposal::later(until),
            Some(May::Known(text)) if !body.contains(text.as_str()) => Proposal::fails(format!("`{text}` in the page"), "it is not there"),
            _ => Proposal::holds(),
        }
    }

    fn chain(&self, view: &dyn View, chain: &[Vec<u8>]) -> Result<Proposal, ActionError> {
        let Some(leaf) = chain.first() else { return Ok(Proposal::fails("a certificate", "none is served")) };
        let Some(facts) = certificate::facts(leaf) else { return Ok(Proposal::fails("a certificate", "what is served is none")) };
        let proposal = match self.certificate(view, leaf, &facts)? {
            proposal if proposal.verdict == Verdict::Holds => self.time(view, &facts),
            other => other,
        };
        Ok(proposal.output("certificate", served(&facts)))
    }

    /// Whether it is the one of the file.
    fn certificate(&self, view: &dyn View, leaf: &[u8], facts: &Facts) -> Result<Proposal, ActionError> {
        let Some(path) = &self.certificate else { return Ok(Proposal::holds()) };
        if view.state(&path.resource())? == State::Absent {
            return Ok(Proposal::fails(format!("the certificate of `{path}`"), format!("`{path}` is not there")));
        }
        let pem = match bytes(view, path) {
            Err(ActionError::World(world::error::WorldError::Unknown { until })) => return Ok(Proposal::later(&until)),
            pem => pem?,
        };
        let no_certificate = || ActionError::Invalid(format!("`{path}` holds no certificate in PEM"));
        let first = certificate::from_pem(&pem).and_then(|all| all.into_iter().next()).ok_or_else(no_certificate)?;
        if first == leaf {
            return Ok(Proposal::holds());
        }
        let wanted = certificate::facts(&first).ok_or_else(no_certificate)?;
        Ok(Proposal::fails(named(&wanted), named(facts)))
    }

    /// Whether it is good now and long enough.
    fn time(&self, view: &dyn View, facts: &Facts) -> Proposal {
        let more = match &self.valid_for {
            None => return Proposal::holds(),
            Some(May::Unknown { until }) => return Proposal::later(until),
            Some(May::Known(span)) => *span,
        };
        let now = view.now();
        if facts.not_before > now {
            return Proposal::fails("a certificate that is good now", format!("good from {}", facts.not_before));
        }
        if now.checked_add(more.duration()).is_ok_and(|then| facts.not_after >= then) {
            return Proposal::holds();
        }
        Proposal::fails(format!("a certificate good for {more}"), format!("good until {}", facts.not_after))
    }
}

/// A certificate in a line.
fn named(facts: &Facts) -> String {
    format!("certificate {}... of {}, until {}", &facts.sha256.as_str()[..12], facts.subject, facts.not_after)
}

fn served(facts: &Facts) -> Value {
    let text = |name: &str, value: &dyn ToString| (name.to_owned(), Value::from(value.to_string()));
    let names = Value::Sequence(facts.names.iter().map(|name| Value::from(name.as_str())).collect());
    mapping([
        text("sha256", &facts.sha256),
        text("subject", &facts.subject),
        text("issuer", &facts.issuer),
        ("names".to_owned(), names),
        text("not_before", &facts.not_before),
        text("not_after", &facts.not_after),
    ])
}
