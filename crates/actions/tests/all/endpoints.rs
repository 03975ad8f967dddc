//! What is said of things that answer on the network.

use crate::stage::{Stage, failure, output};
use jiff::Timestamp;
use model::id::StepId;
use model::value::unknown;
use world::certificate::from_pem;
use world::look::{Endpoint, Reply};
use world::memory::Memory;
use world::proposal::Verdict;

const CURRENT: &str = include_str!("../../../world/tests/certificates/current.pem");
const EXPIRED: &str = include_str!("../../../world/tests/certificates/expired.pem");

fn leaf(pem: &str) -> Vec<Vec<u8>> {
    from_pem(pem.as_bytes()).expect("a certificate")
}

fn world() -> Memory {
    let world = Memory::new();
    let tls = |host: &str| Endpoint::Tls { host: host.to_owned(), port: 443 };
    let mut machine = world.machine();
    machine.write("/tls/current.pem", CURRENT);
    machine.write("/tls/expired.pem", EXPIRED);
    machine.write("/tls/none.pem", "no certificate");
    machine.endpoints = vec![
        (tls("good"), Reply::Certificates(leaf(CURRENT))),
        (tls("old"), Reply::Certificates(leaf(EXPIRED))),
        (Endpoint::Tcp { host: "localhost".to_owned(), port: 80 }, Reply::Open),
        (Endpoint::Http { url: "http://app/".to_owned() }, Reply::Page { status: 200, body: "version 7".to_owned() }),
        (Endpoint::Http { url: "http://broken/".to_owned() }, Reply::Page { status: 503, body: String::new() }),
    ];
    drop(machine);
    world
}

#[test]
fn a_port_is_open_or_says_why_not() {
    let world = world();
    let stage = Stage::new(&world);
    let open = stage.propose("assert.endpoint", "{ kind: tcp, host: localhost, port: 80 }").expect("a proposal");
    assert_eq!(open.verdict, Verdict::Holds);
    let silent = stage.propose("assert.endpoint", "{ kind: tcp, host: localhost, port: 81 }").expect("a proposal");
    assert_eq!(failure(&silent), ("an answer", "connection refused"));
}

#[test]
fn a_page_has_its_status_and_its_text() {
    let world = world();
    let stage = Stage::new(&world);
    let page = |with: &str| stage.propose("assert.endpoint", &format!("{{ kind: http, {with} }}")).expect("a proposal");
    assert_eq!(page("url: http://app/, contains: version 7").verdict, Verdict::Holds);
    assert_eq!(failure(&page("url: http://app/, contains: version 8")), ("`version 8` in the page", "it is not there"));
    assert_eq!(failure(&page("url: http://broken/")), ("status 200", "status 503"));
    assert_eq!(page("url: http://broken/, status: 503").verdict, Verdict::Holds);
}

#[test]
fn a_server_shows_the_certificate_of_a_file() {
    let world = world();
    let stage = Stage::new(&world);
    let proposal = stage.propose("assert.endpoint", "{ kind: tls, host: good, certificate: /tls/current.pem }").expect("a proposal");
    assert_eq!(proposal.verdict, Verdict::Holds);
    let facts = world::certificate::facts(&leaf(CURRENT)[0]).expect("a certificate");
    assert_eq!(output(&proposal, "certificate")["sha256"].as_str(), Some(facts.sha256.as_str()));
    assert_eq!(output(&proposal, "certificate")["not_after"].as_str(), Some(facts.not_after.to_string().as_str()));
    let proposal = stage.propose("assert.endpoint", "{ kind: tls, host: old, certificate: /tls/current.pem }").expect("a proposal");
    let (expected, found) = failure(&proposal);
    assert!(
        expected.starts_with(&format!("certificate {}...", &facts.sha256.as_str()[..12])) && found.starts_with("certificate "),
        "{expected}, {found}"
    );
    let refused = stage.refusal("assert.endpoint", "{ kind: tls, host: good, certificate: /tls/none.pem }");
    assert_eq!(refused, "`/tls/none.pem` holds no certificate in PEM");
}

#[test]
fn a_certificate_must_still_be_good_for_a_time() {
    let world = world();
    let facts = world::certificate::facts(&leaf(CURRENT)[0]).expect("a certificate");
    let mut stage = Stage::new(&world);
    let at = |stage: &mut Stage<'_>, now: Timestamp, host: &str| {
        stage.now = now;
        stage.propose("assert.endpoint", &format!("{{ kind: tls, host: {host}, valid_for: 30d }}")).expect("a proposal")
    };
    let day = std::time::Duration::from_secs(86_400);
    assert_eq!(at(&mut stage, facts.not_after - 31 * day, "good").verdict, Verdict::Holds);
    let proposal = at(&mut stage, facts.not_after - 29 * day, "good");
    assert_eq!(failure(&proposal), ("a certificate good for 30d", format!("good until {}", facts.not_after).as_str()));
    assert!(matches!(at(&mut stage, facts.not_before - day, "good").verdict, Verdict::Fails { .. }));
    assert!(matches!(at(&mut stage, facts.not_after - 31 * day, "old").verdict, Verdict::Fails { .. }));
}

#[test]
fn what_answers_after_an_effect_is_judged_later() {
    let world = world();
    let mut stage = Stage::new(&world);
    stage.blind = true;
    let proposal = stage.propose("assert.endpoint", "{ kind: tls, host: good, certificate: /tls/current.pem }").expect("a proposal");
    assert_eq!(proposal.verdict, Verdict::Later { until: StepId::new("before") });
    assert_eq!(output(&proposal, "certificate"), unknown(&StepId::new("before")));
}

#[test]
fn parameters_of_another_kind_are_refused() {
    let world = world();
    let stage = Stage::new(&world);
    for (with, why) in [
        ("{ kind: tcp, host: a }", "`kind: tcp` wants a `host` and a `port`, and no `url`"),
        ("{ kind: tls, url: https://a }", "`kind: tls` wants a `host`, and no `url`"),
        ("{ kind: http, url: a }", "`kind: http` wants a `url` with `http://` or `https://`, and no `host` or `port`"),
        ("{ kind: tcp, host: a, port: 1, status: 200 }", "`status` and `contains` are for `kind: http`"),
        ("{ kind: tcp, host: a, port: 1, valid_for: 1d }", "`certificate` and `valid_for` are for `kind: tls`"),
    ] {
        assert_eq!(stage.refusal("assert.endpoint", with), why);
    }
    assert!(stage.refusal("assert.endpoint", "{ kind: tls, host: a, valid_for: 30 }").contains("needs a unit"));
}
