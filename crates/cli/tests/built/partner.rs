//! What a partner says for many clients, and where a value comes from.

use crate::case::Case;

const RUNBOOK: &str = "format: 1
runbook: page
version: 1.0.0
title: T
expects:
  root: { type: path }
  keep: { type: integer, default: 3 }
  tell: { type: string, default: nobody }
  paths: { type: string, default: none }
inputs:
  site: { type: string, default: www }
  key: { type: secret }
touches: ['file:@DIR@/**']
steps:
  - { id: write, action: file.write, with: { path: '{{ client.root }}/{{ inputs.site }}', text: '{{ client.tell }} {{ client.keep }}' } }
";

const PARTNER: &str = "format: 1
zone: America/Chicago
values: { root: '@DIR@', tell: north }
secrets: { key: { file: keys/all.age } }
runbooks: { page: { inputs: { site: start } } }
";

const CLIENT: &str = "format: 1\nclient: harbor\nextends: ../partners/north.yaml\nvalues: { tell: pat }\n";

fn case() -> Case {
    Case::new(&[
        ("page.yaml", RUNBOOK),
        ("partners/north.yaml", PARTNER),
        ("clients/harbor.yaml", CLIENT),
        ("clients/cascade.yaml", CASCADE),
        ("partners/keys/all.age", "abc"),
    ])
}

const CASCADE: &str = "format: 1\nclient: cascade\nextends: ../partners/north.yaml\n";

#[test]
fn a_client_says_only_what_differs_from_its_partner() {
    let case = case();
    let _ = case.run(&["check", "page.yaml", "--all-clients", "clients"]).exits(0);
    let _ = case.run(&["run", "page.yaml", "--client", "clients/harbor.yaml", "--run-id", "r-1", "--yes"]).exits(0);
    assert_eq!(case.read("start").as_deref(), Some("pat 3"));
    // What it was made of is kept with it.
    case.write("partners/north.yaml", "format: 1\n");
    let _ = case.run(&["verify", "r-1"]).exits(0);
    let _ = case.run(&["undo", "r-1", "--yes"]).exits(0);
    assert_eq!(case.read("start"), None);
    case.write("state/runs/r-1/partner.yaml", "format: 1\n");
    let verified = case.run(&["verify", "r-1"]).exits(9);
    assert!(verified.out.contains("partner"), "{}", verified.out);
}

#[test]
fn a_plan_holds_the_partner_file_it_was_made_of() {
    let case = case();
    let _ = case.run(&["plan", "page.yaml", "--client", "clients/harbor.yaml", "-o", "p.json"]).exits(0);
    std::fs::remove_file(case.dir().join("partners/north.yaml")).unwrap();
    // From anywhere: a secret is where the partner file was.
    let _ = case.run_in("clients", &["run", "../p.json", "--client", "harbor", "--yes"]).exits(0);
    assert_eq!(case.read("start").as_deref(), Some("pat 3"));
}

#[test]
fn what_a_partner_says_wrongly_is_told_at_its_place() {
    let case = case();
    case.write("partners/north.yaml", "format: 1\nvalues: { root: 7 }\n");
    let wrong = case.run(&["check", "page.yaml", "--client", "clients/harbor.yaml"]).exits(3);
    assert!(wrong.err.contains("partners/north.yaml:2:17"), "{}", wrong.err);
    let wrong = case.run(&["check", "page.yaml", "--client", "clients/cascade.yaml"]).exits(3);
    assert!(wrong.err.contains("partners/north.yaml:2:17"), "{}", wrong.err);
}

#[test]
fn what_clients_lack_is_told_in_one_table() {
    let case = case();
    case.write("clients/north.yaml", "format: 1\nvalues: { tell: north }\n");
    for client in ["harbor", "cascade"] {
        case.write(&format!("clients/{client}.yaml"), &format!("format: 1\nclient: {client}\nextends: north.yaml\n"));
    }
    case.write("clients/meridian.yaml", "format: 1\nclient: meridian\nvalues: { root: /srv }\n");
    let wrong = case.run(&["check", "page.yaml", "--all-clients", "clients"]).exits(3);
    assert!(wrong.err.contains("Missing values:\n  client.root  path      cascade, harbor\n"), "{}", wrong.err);
    // The partner file is no client.
    assert!(wrong.err.contains("1 runbook (1 step), 3 clients: 2 errors"), "{}", wrong.err);
    let json = case.run(&["check", "page.yaml", "--all-clients", "clients", "--json"]).exits(3).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["needs"][0]["clients"], serde_json::json!(["cascade", "harbor"]));
}

#[test]
fn explain_tells_where_a_value_comes_from_and_what_it_shadows() {
    let case = case();
    let client = ["--client", "clients/harbor.yaml"];
    let told = case.run(&[&["explain", "page.yaml"][..], &client].concat()).exits(0).out;
    let expected = "inputs.site  start
  from partners/north.yaml:5:37
  shadows www of page.yaml:11:34, the default
inputs.key  secret
  in the file keys/all.age by partners/north.yaml:4:17
client.tell  pat
  from clients/harbor.yaml:4:17
  shadows north of partners/north.yaml:3:COLUMN
  shadows nobody of page.yaml:8:34, the default
";
    let root = case.dir().display();
    let rest = "client.keep  3\n  from page.yaml:7:35, the default\nclient.paths  none\n  from page.yaml:9:35, the default\n";
    let all = format!("{expected}client.root  {root}\n  from partners/north.yaml:3:17\n{rest}");
    let column = PARTNER.lines().nth(2).unwrap().replace("@DIR@", &root.to_string()).find("north").unwrap() + 1;
    assert_eq!(told, all.replace("COLUMN", &column.to_string()));
    let one = case.run(&[&["explain", "page.yaml", "inputs.site", "--set", "site=x"][..], &client].concat()).exits(0).out;
    assert!(one.starts_with("inputs.site  x\n  from --set\n  shadows start of partners/north.yaml"), "{one}");
    let json = case.run(&[&["explain", "page.yaml", "client", "--json"][..], &client].concat()).exits(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["values"].as_array().unwrap().len(), 4);
    let wrong = case.run(&[&["explain", "page.yaml", "client.tel"][..], &client].concat()).exits(3);
    assert!(wrong.err.contains("did you mean `client.tell`?"), "{}", wrong.err);
}
