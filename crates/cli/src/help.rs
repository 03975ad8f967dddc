//! What help says: the overview, and two examples for each command.

/// What `retrace` alone shows.
pub(crate) const OVERVIEW: &str = "\
retrace: runbooks that can be previewed, taken back and checked.

Write      check     tell what is wrong in runbooks, with places
           explain   tell where values come from
           graph     draw the steps of a runbook as Graphviz
           actions   list the actions, or describe one
           schema    print a JSON Schema for editors
Run        plan      show what a run would do, and save it
           run       carry out a runbook or a saved plan
           resume    go on with a run that was cut off or stopped
           undo      take a run back
Look back  runs      list the runs
           show      tell what a run did
           verify    check that the record of a run is whole
           note      add a remark to a run
More       demo      make a practice site and play through it
           prune     remove kept bytes that no undo needs any more
           help      explain a topic: exit-codes, options

  retrace demo site                            first time: ten minutes
  retrace plan web.yaml --client harbor.yaml   what would happen

More on one command, with examples: retrace plan --help
";

/// The order of a command's page.
pub(crate) const PAGE: &str = "{before-help}{about}\n{usage-heading} {usage}\n\n{all-args}{after-help}";

/// What every command understands.
pub(crate) const EVERYWHERE: &str = "\
Everywhere: --state DIR, --identity FILE, --json, --color auto|always|never,
            --no-input, -v, -q; explained by `retrace help options`";

/// `retrace help options`.
pub(crate) const OPTIONS: &str = "\
Every command understands:
  --state DIR       where runs are kept; else RETRACE_STATE, else the platform's
                    directory for data
  --identity FILE   an age identity that opens sensitive images
  --json            print JSON to standard output, and nothing else
  --color WHEN      auto, always or never; NO_COLOR and pipes are honoured
  --no-input        never wait for a person; what is missing is listed, exit 7
  -v                show effects, differences and reasons
  -q                print errors and questions only
";

pub(crate) const CHECK: &str = "\
Examples:
  retrace check web.yaml --client harbor.yaml
  retrace check web.yaml db.yaml --all-clients clients";
pub(crate) const PLAN: &str = "\
Examples:
  retrace plan web.yaml --client harbor.yaml -o web.plan
  retrace plan web.yaml --set site=www.harbor.example -v";
pub(crate) const RUN: &str = "\
Examples:
  retrace run web.plan
  retrace run web.yaml --client harbor.yaml --answers answers.yaml --yes";
pub(crate) const RESUME: &str = "\
Examples:
  retrace resume harbor-20260307-2002-7f3a
  retrace resume harbor-20260307-2002-7f3a --yes";
pub(crate) const UNDO: &str = "\
Examples:
  retrace undo harbor-20260307-2002-7f3a --dry-run
  retrace undo harbor-20260307-2002-7f3a --to keep";
pub(crate) const RUNS: &str = "\
Examples:
  retrace runs
  retrace runs --json";
pub(crate) const SHOW: &str = "\
Examples:
  retrace show harbor-20260307-2002-7f3a
  retrace show harbor-20260307-2002-7f3a -v";
pub(crate) const VERIFY: &str = "\
Examples:
  retrace verify harbor-20260307-2002-7f3a
  retrace verify harbor-20260307-2002-7f3a --json";
pub(crate) const NOTE: &str = "\
Examples:
  retrace note harbor-20260307-2002-7f3a \"Vendor called back, case 4711\"
  retrace note harbor-20260307-2002-7f3a \"Users told by mail\"";
pub(crate) const EXPLAIN: &str = "\
Examples:
  retrace explain web.yaml --client harbor.yaml
  retrace explain web.yaml client.backup_target --client harbor.yaml";
pub(crate) const GRAPH: &str = "\
Examples:
  retrace graph web.yaml
  retrace graph web.yaml --client harbor.yaml";
pub(crate) const ACTIONS: &str = "\
Examples:
  retrace actions
  retrace actions file.copy";
pub(crate) const SCHEMA: &str = "\
Examples:
  retrace schema
  retrace schema client";
pub(crate) const DEMO: &str = "\
Examples:
  retrace demo
  retrace demo site --no-input";
pub(crate) const PRUNE: &str = "\
Examples:
  retrace prune
  retrace prune --yes";
pub(crate) const HELP: &str = "\
Examples:
  retrace help exit-codes
  retrace help plan";

/// The examples of every command.
#[cfg(test)]
pub(crate) const EXAMPLES: [&str; 16] =
    [CHECK, PLAN, RUN, RESUME, UNDO, RUNS, SHOW, VERIFY, NOTE, EXPLAIN, GRAPH, ACTIONS, SCHEMA, DEMO, PRUNE, HELP];
