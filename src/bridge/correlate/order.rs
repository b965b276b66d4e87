//! In which order correlations are planned, and which go in circles.

use std::collections::{BTreeMap, BTreeSet};

/// The members of `graph`, each behind those that it refers to, without those that are part of a circle or lie
/// between two; and these. References to what is no member do not count.
pub(super) fn order(graph: &BTreeMap<usize, BTreeSet<usize>>) -> (Vec<usize>, Vec<usize>) {
    let mut circles: BTreeSet<usize> = graph.keys().copied().collect();
    drain(&mut circles, graph);
    drain(&mut circles, &reversed(graph));
    let mut open: BTreeSet<usize> = graph.keys().copied().filter(|node| !circles.contains(node)).collect();
    let sorted = drain(&mut open, graph);
    (sorted, circles.into_iter().collect())
}

/// Takes out of `open` whatever refers to none of `open` any more, until all that is left does.
fn drain(open: &mut BTreeSet<usize>, graph: &BTreeMap<usize, BTreeSet<usize>>) -> Vec<usize> {
    let targets = |node: &usize| graph.get(node).into_iter().flatten();
    let referrers = reversed(graph);
    let mut waiting: BTreeMap<usize, usize> = open
        .iter()
        .map(|node| (*node, targets(node).filter(|target| open.contains(target)).count()))
        .collect();
    let mut ready: BTreeSet<usize> =
        waiting.iter().filter(|(_, count)| **count == 0).map(|(node, _)| *node).collect();
    let mut sorted = Vec::new();
    while let Some(node) = ready.pop_first() {
        open.remove(&node);
        sorted.push(node);
        for referrer in referrers.get(&node).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(referrer) {
                *count = count.saturating_sub(1);
                if *count == 0 && open.contains(referrer) {
                    ready.insert(*referrer);
                }
            }
        }
    }
    sorted
}

fn reversed(graph: &BTreeMap<usize, BTreeSet<usize>>) -> BTreeMap<usize, BTreeSet<usize>> {
    let mut reversed: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (node, targets) in graph {
        for target in targets {
            reversed.entry(*target).or_default().insert(*node);
        }
    }
    reversed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(usize, &[usize])]) -> BTreeMap<usize, BTreeSet<usize>> {
        edges.iter().map(|(node, targets)| (*node, targets.iter().copied().collect())).collect()
    }

    #[test]
    fn what_is_referred_to_comes_first() {
        assert_eq!(order(&graph(&[(0, &[1, 9]), (1, &[2]), (2, &[])])), (vec![2, 1, 0], vec![]));
    }

    #[test]
    fn a_circle_is_told_from_what_leads_there() {
        let (sorted, circles) = order(&graph(&[(0, &[1]), (1, &[2]), (2, &[1, 3]), (3, &[]), (4, &[4])]));
        assert_eq!((sorted, circles), (vec![0, 3], vec![1, 2, 4]));
    }
}
