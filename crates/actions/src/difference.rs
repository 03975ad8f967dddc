//! What changes in a text, for people.

/// Lines around a change.
const AROUND: usize = 3;
/// Longer texts are compared only at their ends.
const MOST_PAIRS: usize = 4_000_000;
/// Longer differences are cut.
const MOST_LINES: usize = 200;

/// The lines that differ, with some around them: `-` gone, `+` new, blank for both. None if nothing differs.
pub(crate) fn between(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let first = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let last = old[first..].iter().rev().zip(new[first..].iter().rev()).take_while(|(a, b)| a == b).count();
    let middle = edits(&old[first..old.len() - last], &new[first..new.len() - last]);
    let mut all: Vec<(char, &str)> = old[..first].iter().map(|line| (' ', *line)).collect();
    all.extend(middle);
    all.extend(old[old.len() - last..].iter().map(|line| (' ', *line)));
    shorten(&all)
}

/// The longest common lines stay, the others go or come.
fn edits<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<(char, &'t str)> {
    let mut out = Vec::new();
    let width = new.len() + 1;
    if old.len() * new.len() > MOST_PAIRS {
        out.extend(old.iter().map(|line| ('-', *line)));
        out.extend(new.iter().map(|line| ('+', *line)));
        return out;
    }
    // common[i][j]: length of the longest common part of old[i..] and new[j..].
    let mut common = vec![0u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] =
                if old[i] == new[j] { common[(i + 1) * width + j + 1] + 1 } else { common[(i + 1) * width + j].max(common[i * width + j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            out.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]) {
            out.push(('-', old[i]));
            i += 1;
        } else {
            out.push(('+', new[j]));
            j += 1;
        }
    }
    out
}

fn shorten(all: &[(char, &str)]) -> Vec<String> {
    let changed: Vec<usize> = all.iter().enumerate().filter(|(_, (sign, _))| *sign != ' ').map(|(at, _)| at).collect();
    let mut out = Vec::new();
    let mut next = 0;
    for at in changed {
        let begin = at.saturating_sub(AROUND).max(next);
        if begin > next && !out.is_empty() {
            out.push("  ...".to_owned());
        }
        let end = (at + AROUND + 1).min(all.len());
        // The lines after a change are only known to be near one until the next change is seen.
        let end = all[at + 1..end].iter().position(|(sign, _)| *sign != ' ').map_or(end, |more| at + 1 + more);
        out.extend(all[begin.min(end)..end].iter().map(|(sign, line)| format!("{sign} {line}")));
        next = end.max(next);
        if out.len() > MOST_LINES {
            out.truncate(MOST_LINES);
            out.push("  ... and more".to_owned());
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_lines_stand_among_three_around_them() {
        let old = (1..=20).map(|n| format!("line {n}\n")).collect::<String>();
        let new = old.replace("line 5\n", "five\n").replace("line 18\n", "");
        assert_eq!(
            between(&old, &new).join("|"),
            "  line 2|  line 3|  line 4|- line 5|+ five|  line 6|  line 7|  line 8|  ...|  line 15|  line 16|  line 17|- line 18|  line 19|  line 20"
        );
    }

    #[test]
    fn near_changes_share_their_surroundings() {
        assert_eq!(between("a\nb\nc\nd\ne\n", "a\nB\nc\nd\nE\n").join("|"), "  a|- b|+ B|  c|  d|- e|+ E");
    }

    #[test]
    fn what_is_equal_has_no_difference_and_what_is_new_has_only_new_lines() {
        assert!(between("a\nb\n", "a\nb\n").is_empty());
        assert_eq!(between("", "a\nb\n"), ["+ a", "+ b"]);
        assert_eq!(between("a\n", ""), ["- a"]);
    }

    #[test]
    fn a_long_difference_is_cut() {
        let new = "x\n".repeat(10_000);
        assert_eq!(between("", &new).len(), MOST_LINES + 1);
    }
}
