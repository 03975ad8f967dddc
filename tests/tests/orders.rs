//! With eight steps at once, whatever comes first: every order in which the changes of a small graph can happen ends in the same
//! tree, and its undo restores the start.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::sync::{Condvar, Mutex};
use tests::dice::Dice;
use tests::flaky::Flaky;
use tests::lab::{Lab, machine};

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
fn run(shape: &Shape, order: &[usize]) -> Vec<Option<Vec<u8>>> {
    let (world, store) = machine(&[("/d/0", "old"), ("/d/2", "old"), ("/d/4", "old")]);
    let start = world.snapshot();
    let (next, changed) = (Mutex::new(0), Condvar::new());
    let turn = |path: &str, change: &mut dyn FnMut()| {
        let step: usize = path.trim_start_matches("/d/").parse().unwrap();
        let mut next = changed.wait_while(next.lock().unwrap(), |next| order[*next] != step).unwrap();
        change();
        *next += 1;
        changed.notify_all();
    };
    let mut lab = Lab::new(&runbook(shape), None);
    lab.jobs = 8;
    let ending = lab.run(&Flaky::in_turn(&world, &turn), &store, "t-1").unwrap();
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
    let trees: Vec<_> = found.iter().map(|order| run(shape, order)).collect();
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

#[test]
fn every_order_of_graphs_of_six_steps_ends_alike() {
    // Two chains, a diamond between two ends, two layers that are all joined.
    for shape in [vec![0, 1, 2, 0, 8, 16], vec![0, 1, 1, 1, 14, 16], vec![0, 0, 0, 7, 7, 7]] {
        assert!(every_order_ends_alike(&shape) > 1);
    }
    let mut dice = Dice::new(6);
    for _ in 0..12 {
        let shape: Shape = (0..6).map(|step| (dice.below(1 << step) & dice.below(1 << step)) as u8).collect();
        let mut found = Vec::new();
        orders(&shape, &mut Vec::new(), &mut found);
        if found.len() <= 60 {
            every_order_ends_alike(&shape);
        }
    }
}
