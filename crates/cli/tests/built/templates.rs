//! Template files beside a runbook.

use crate::case::Case;

const RUNBOOK: &str = "format: 1
runbook: t
version: 1.0.0
title: T
touches: ['file:@DIR@/**']
steps:
  - { id: write, action: file.write, with: { path: '@DIR@/out', template: conf/app.conf, vars: { port: 80 } } }
";

#[test]
fn a_template_is_checked_and_run_as_it_was_planned() {
    let case = Case::new(&[("t/t.yaml", RUNBOOK), ("t/conf/app.conf", "port={{ port }}\n")]);
    let _ = case.run(&["check", "t/t.yaml"]).exits(0);
    let _ = case.run(&["plan", "t/t.yaml", "-o", "plan.json"]).exits(0);
    case.write("t/conf/app.conf", "edited since: {{ port }\n");
    let wrong = case.run(&["check", "t/t.yaml"]).exits(3);
    assert!(wrong.err.contains("t/conf/app.conf:1:"), "{}", wrong.err);
    // A plan is what was seen: neither the runbook nor its template is read again, and what it holds of them cannot be edited.
    let plan = case.read("plan.json").unwrap();
    assert!(plan.contains("port={{ port }}"), "{plan}");
    case.write("edited.json", &plan.replace("port={{ port }}", "path={{ port }}"));
    let refused = case.run(&["run", "edited.json", "--yes"]).exits(3);
    assert!(refused.err.contains("the plan was edited"), "{}", refused.err);
    assert_eq!(case.read("out"), None);
    let _ = case.run(&["run", "plan.json", "--yes"]).exits(0);
    assert_eq!(case.read("out").as_deref(), Some("port=80\n"));
}

#[cfg(unix)]
#[test]
fn a_link_leads_no_template_out_of_the_directory() {
    let case = Case::new(&[("t/t.yaml", RUNBOOK), ("secret", "hunter2 {{ x }\n"), ("t/conf/real", "port={{ port }}\n")]);
    std::os::unix::fs::symlink("../../secret", case.dir().join("t/conf/app.conf")).unwrap();
    for words in [vec!["check", "t/t.yaml"], vec!["plan", "t/t.yaml"]] {
        let refused = case.run(&words).exits(3);
        assert!(refused.err.contains("a link leads out of the directory"), "{}", refused.err);
        assert!(!refused.err.contains("hunter2"), "{}", refused.err);
    }
    std::fs::remove_file(case.dir().join("t/conf/app.conf")).unwrap();
    std::os::unix::fs::symlink("real", case.dir().join("t/conf/app.conf")).unwrap();
    let _ = case.run(&["run", "t/t.yaml", "--yes"]).exits(0);
    assert_eq!(case.read("out").as_deref(), Some("port=80\n"));
}
