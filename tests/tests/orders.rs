//! With eight steps at once, whatever comes first: every order in which the changes of a small graph can happen ends in the same
//! tree, and its undo restores the start.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use model::plan::Plan;
use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex};
use tests::flaky::Flaky;
use tests::lab::{Lab, machine};

/// What is there before.
const FILES: [(&str, &str); 3] = [("/d/0", "old"), ("/d/2", "old"), ("/d/4", "old")];

/// For each step the earlier ones that it needs, as bits.
type Shape = Vec<u8>;

/// Each step writes a file with the digests of those that it needs, so that an order that is not kept shows in the tree.
fn runbook(shape: &Shape) -> String {
    let mut text = "format: 1\nrunbook: t\nversion: 1.0.0\ntitle: T\ntouches: ['file:/d/**']\nsteps:\n".to_owned();
    for (step, needs) in shape.iter().enumerate() {
        let before: Vec<usize> = (0..step).filter(|other| needs & 1 << other != 0).collect();
        let names: Vec<String> = before.iter().map(|other| format!("s{other}")).collect();
        let read: String = before.iter().map(|other| format!(" {{{{ steps.s{other}.sha256 }}}}")).collect();
        text += &format!(
            "  - {{ id: s{step}, action: file.write, needs: [{}], with: {{ path: /d/{step}, text: 'new {step}{read}' }} }}\n",
            names.join(", ")
        );
    }
    text
}

/// Every order of the steps from here on in which each comes after what it needs.
fn orders(shape: &Shape, so_far: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
    if so_far.len() == shape.len() {
        return found.push(so_far.clone());
    }
    for step in 0..shape.len() {
        let is_due = !so_far.contains(&step) && (0..step).all(|other| shape[step] & 1 << other == 0 || so_far.contains(&other));
        if is_due {
            so_far.push(step);
            orders(shape, so_far, found);
            so_far.pop();
        }
    }
}

/// Runs with eight at once; the changes happen in that order and no other. The tree at the end, after an undo compared with the
/// start.
fn run(shape: &Shape, order: &[usize], lab: &Lab, plan: &Plan) -> Vec<Option<Vec<u8>>> {
    let (world, store) = machine(&FILES);
    let start = world.snapshot();
    let (next, changed) = (Mutex::new(0), Condvar::new());
    let turn = |path: &str, change: &mut dyn FnMut()| {
        let step: usize = path.trim_start_matches("/d/").parse().unwrap();
        let mut next = changed.wait_while(next.lock().unwrap(), |next| order[*next] != step).unwrap();
        change();
        *next += 1;
        changed.notify_all();
    };
    let ending = lab.run_plan(&Flaky::in_turn(&world, &turn), &store, plan).unwrap();
    assert_eq!(ending.exit, 0, "{shape:?} in the order {order:?}: {:?}", ending.why);
    assert_eq!(*next.lock().unwrap(), shape.len());
    let tree = (0..shape.len()).map(|step| world.machine().read(&format!("/d/{step}")).map(|bytes| bytes.to_vec())).collect();
    let undone = lab.undo(&world, &store, "t-1").unwrap();
    assert_eq!(undone.exit, 0, "{shape:?} in the order {order:?}: {:?}", undone.why);
    assert_eq!(world.snapshot(), start, "{shape:?} in the order {order:?}");
    tree
}

fn every_order_ends_alike(shape: &Shape) -> usize {
    let mut found = Vec::new();
    orders(shape, &mut Vec::new(), &mut found);
    let mut lab = Lab::new(&runbook(shape), None);
    lab.jobs = 8;
    let (world, store) = machine(&FILES);
    let plan = lab.plan(&world, &store, "t-1").unwrap();
    let trees: Vec<_> = found.iter().map(|order| run(shape, order, &lab, &plan)).collect();
    assert!(trees.iter().all(|tree| *tree == trees[0]), "{shape:?}");
    found.len()
}

/// Every graph of so many steps whose edges point from earlier to later ones.
fn shapes(steps: usize) -> impl Iterator<Item = Shape> {
    let bits = steps * (steps - 1) / 2;
    (0..1_u32 << bits).map(move |edges| {
        let mut left = edges;
        (0..steps)
            .map(|step| {
                let needs = left & ((1 << step) - 1);
                left >>= step;
                needs as u8
            })
            .collect()
    })
}

#[test]
fn every_order_of_every_graph_of_four_steps_ends_alike() {
    let orders: usize = (1..=4).flat_map(shapes).map(|shape| every_order_ends_alike(&shape)).sum();
    assert!(orders > 300, "{orders}");
}

/// The shapes of five or six steps that differ in more than the names of steps, without edges that others imply: every order that
/// steps can be put in is one of these.
fn kinds(steps: usize) -> Vec<Shape> {
    let above = |shape: &Shape, step: usize| {
        let needs = shape[step];
        (0..step).filter(move |other| needs & 1 << other != 0)
    };
    let is_closed = |shape: &Shape| (0..steps).all(|step| above(shape, step).all(|other| shape[other] & !shape[step] == 0));
    let mut names = vec![Vec::new()];
    for step in 0..steps {
        names = names.iter().flat_map(|so_far: &Vec<usize>| (0..=step).map(|at| [&so_far[..at], &[step], &so_far[at..]].concat())).collect();
    }
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for shape in shapes(steps).filter(is_closed) {
        let renamed = |names: &Vec<usize>| {
            let mut pairs: u64 = 0;
            for step in 0..steps {
                above(&shape, step).for_each(|other| pairs |= 1 << (names[step] * steps + names[other]));
            }
            pairs
        };
        let name = renamed(&names[0]);
        if !seen.contains(&name) {
            seen.extend(names.iter().map(renamed));
            let implied = |step: usize| above(&shape, step).fold(0, |all, other| all | shape[other]);
            found.push((0..steps).map(|step| shape[step] & !implied(step)).collect());
        }
    }
    found
}

/// As many as there are partial orders without names: 63 of five, 318 of six (OEIS A000112).
#[test]
fn every_order_of_every_graph_of_five_and_six_steps_ends_alike() {
    for (steps, of) in [(5, 63), (6, 318)] {
        let kinds = kinds(steps);
        assert_eq!(kinds.len(), of);
        std::thread::scope(|threads| {
            let (even, odd): (Vec<_>, Vec<_>) = kinds.iter().enumerate().partition(|(n, _)| n % 2 == 0);
            for half in [even, odd] {
                threads.spawn(move || half.iter().for_each(|(_, shape)| assert!(every_order_ends_alike(shape) > 0)));
            }
        });
    }
}
